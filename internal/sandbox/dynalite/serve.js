// Serves DynamoDB's protocol from memory on a free loopback port, and writes the port to standard output. It ends with its
// standard input, so that it outlives nobody who started it.
'use strict'

const dynalite = require('dynalite')

const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
server.keepAliveTimeout = 0 // an idle connection that the server closes looks like a lost answer to its client

// dynalite throws where a client goes away in the middle of a request. Clients are killed in tests.
process.on('uncaughtException', (err) => {
  if (err.code === 'ECONNRESET' || err.code === 'EPIPE') return
  console.error(err)
  process.exit(1)
})

process.stdin.resume()
process.stdin.on('error', () => process.exit(0))
process.stdin.on('close', () => process.exit(0))
process.stdin.on('end', () => process.exit(0))

server.listen(0, '127.0.0.1', () => console.log(server.address().port))
