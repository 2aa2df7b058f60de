// Preloaded into every pod's process, so that none outlives the demo, even one that was killed: its end closes this channel.
process.on('disconnect', () => process.exit(1))
// A message stands for SIGTERM, which Windows does not have; without a handler it ends the process.
process.on('message', () => process.emit('SIGTERM', 'SIGTERM') || process.exit(143))
process.channel?.unref()
