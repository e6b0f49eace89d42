/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cli/memory.h - how malloc(3) deals with memory in a process that serves a
 * mount.
 */
#ifndef CLI_MEMORY_H
#define CLI_MEMORY_H

/* Memory for files, requests and what is to be written comes and goes by the
 * thousand, made in one thread and freed in another. malloc(3) gives such
 * memory back to the kernel each time, and every page of it costs a fault anew.
 * So it keeps some, in one arena, and in large pages where the kernel has them:
 * 160 MiB at most that nobody uses; beyond, all of that goes back. All of this
 * is for speed only. Before the process has other threads. */
void cli_tune_memory(void);

#endif
