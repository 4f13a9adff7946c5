// A tailnet of any size, the same each time: half the devices are people's, half have tags.

export function tailnet(devices, rules) {
  let state = 1;
  const random = (below) => (state = (state * 48271) % 2147483647) % below;
  const users = Math.max(3, Math.floor(devices * 0.4));
  const [groups, tags, nets] = [Math.max(3, Math.floor(users / 25)), Math.max(5, Math.floor(Math.sqrt(devices) * 3)), Math.max(2, Math.floor(devices / 50))];
  const login = (at) => `user${at}@example.com`;
  const some = (below, most, name) => [...new Set(Array.from({ length: 1 + random(most) }, () => name(random(below))))];
  const node = (at) => {
    const own = { name: `node${at}`, ipv4: `100.${64 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}`, created: new Date(1767225600000 + at * 1000).toISOString() };
    const routes = at % 50 === 1 ? [`10.${(at / 50) >> 8}.${Math.floor(at / 50) & 255}.0/24`] : at % 500 === 3 ? ["0.0.0.0/0", "::/0"] : [];
    return { ...own, ...(at % 2 ? { tags: some(tags, 2, (it) => `tag:svc${it}`) } : { user: `user${(at / 2) % users}` }), routableIPs: routes, approvedRoutes: routes };
  };
  const ports = ["22", "80", "443", "53", "3000-3010", "5432", "8080"];
  const source = () => (random(10) < 7 ? `group:team${random(groups)}` : `tag:svc${random(tags)}`);
  const policy = {
    groups: Object.fromEntries(Array.from({ length: groups }, (_, at) => [`group:team${at}`, some(users, 40, login)])),
    tagOwners: Object.fromEntries(Array.from({ length: tags }, (_, at) => [`tag:svc${at}`, ["group:team0"]])),
    hosts: Object.fromEntries(Array.from({ length: nets }, (_, at) => [`net${at}`, `10.${at >> 8}.${at & 255}.0/24`])),
    grants: Array.from({ length: rules }, (_, at) => ({
      src: [source()], dst: [at % 9 === 0 ? `net${random(nets)}` : `tag:svc${random(tags)}`], ip: some(ports.length, 3, (it) => `tcp:${ports[it]}`),
    })),
  };
  const nodes = { users: Array.from({ length: users }, (_, at) => ({ name: `user${at}`, email: login(at) })), nodes: Array.from({ length: devices }, (_, at) => node(at)) };
  const lines = JSON.stringify(policy).replaceAll('{"src"', '\n{"src"').replace(/,"(tagOwners|hosts|grants)"/g, ',\n"$1"');
  return { policy: lines, nodes: JSON.stringify(nodes).replaceAll('{"name"', '\n{"name"') };
}
