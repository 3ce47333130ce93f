/** Loaded into each server process, ours or not: it says its CPU time and memory when asked, and ends with its parent. */
process.on('message', () => process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }))
process.on('disconnect', () => process.exit(0))
