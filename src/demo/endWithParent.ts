// Preloaded into every pod's process, so that none outlives the demo, even one that was killed: its end closes this channel.
process.on('disconnect', () => process.exit(1))
process.channel?.unref()
