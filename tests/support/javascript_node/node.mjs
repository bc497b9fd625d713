// One private IPFS node on loopback, until SIGTERM:
// node node.mjs '{"repo": FOLDER, "api": PORT, "gateway": PORT, "swarm": PORT}'
import { create } from 'ipfs-core'
import { HttpGateway } from 'ipfs-http-gateway'
import { HttpApi } from 'ipfs-http-server'

const options = JSON.parse(process.argv[2])
const loopback = (port) => `/ip4/127.0.0.1/tcp/${port}`

const ipfs = await create({
  repo: options.repo,
  silent: true,
  init: { emptyRepo: true, algorithm: 'Ed25519' },
  config: {
    Addresses: {
      Swarm: [loopback(options.swarm)],
      API: loopback(options.api),
      Gateway: loopback(options.gateway),
      RPC: '',
      Delegates: []
    },
    Bootstrap: [],
    Discovery: { MDNS: { Enabled: false }, webRTCStar: { Enabled: false } },
    Pubsub: { Enabled: false },
    Routing: { Type: 'dhtserver' },
    Swarm: { DisableNatPortMap: true }
  }
})
// a client that hangs up in the middle of `cat` would end the node: bitswap's "aborted" is caught by nobody
process.on('uncaughtException', (error) => console.error(error))

const api = new HttpApi(ipfs)
const gateway = new HttpGateway(ipfs)

const stop = async () => {
  // a connection that a client keeps open would hold the servers: what is on disk is safe already
  setTimeout(() => process.exit(0), 2000).unref()
  await Promise.all([api.stop(), gateway.stop()])
  await ipfs.stop()
  process.exit(0)
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)

await gateway.start()
await api.start()
