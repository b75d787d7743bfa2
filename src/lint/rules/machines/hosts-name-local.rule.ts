import { defineRule } from "../../rule.js";

const LOCAL = /^(localhost(\..*)?|127\.\d+\.\d+\.\d+)$/i;

export default defineRule({
  code: "hosts-name-local",
  needs: "spec",
  check({ spec }, report) {
    const { hosts, nodes } = spec.cluster;
    if (nodes === 1) return;
    for (const [n, host] of hosts.entries()) {
      if (LOCAL.test(host)) report.at(`cluster.hosts.${n}`, { host, nodes });
    }
  },
});
