//! Words of the features: numbers and lists in sentences, and the services behind well-known ports.

/// A service that usually listens on a port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    pub(super) port: u16,
    /// As it is usually written.
    pub(super) name: &'static str,
    /// In a few words.
    pub(super) about: &'static str,
}

const fn service(port: u16, name: &'static str, about: &'static str) -> Service {
    Service { port, name, about }
}

/// Services that rules are often about, by port.
///
/// SOURCE: the registry of service names and port numbers, and the documentation of each program.
pub(super) const SERVICES: [Service; 50] = [
    service(20, "ftp-data", "FTP, data"),
    service(21, "ftp", "FTP"),
    service(22, "ssh", "SSH"),
    service(23, "telnet", "Telnet"),
    service(25, "smtp", "mail between servers"),
    service(53, "dns", "DNS"),
    service(80, "http", "HTTP"),
    service(88, "kerberos", "Kerberos"),
    service(110, "pop3", "mail, POP3"),
    service(123, "ntp", "time"),
    service(143, "imap", "mail, IMAP"),
    service(161, "snmp", "SNMP"),
    service(179, "bgp", "BGP"),
    service(389, "ldap", "LDAP"),
    service(443, "https", "HTTPS"),
    service(445, "smb", "Windows file sharing"),
    service(465, "submissions", "mail, sent over TLS"),
    service(514, "syslog", "syslog"),
    service(548, "afp", "Apple file sharing"),
    service(587, "submission", "mail, sent"),
    service(631, "ipp", "printers"),
    service(636, "ldaps", "LDAP over TLS"),
    service(853, "dot", "DNS over TLS"),
    service(873, "rsync", "rsync"),
    service(993, "imaps", "mail, IMAP over TLS"),
    service(1433, "mssql", "Microsoft SQL Server"),
    service(1521, "oracle", "Oracle Database"),
    service(1883, "mqtt", "MQTT"),
    service(2049, "nfs", "NFS"),
    service(2375, "docker", "Docker"),
    service(2379, "etcd", "etcd"),
    service(3000, "grafana", "Grafana"),
    service(3306, "mysql", "MySQL and MariaDB"),
    service(3389, "rdp", "Windows remote desktop"),
    service(5000, "registry", "container registries"),
    service(5353, "mdns", "multicast DNS"),
    service(5432, "postgres", "PostgreSQL"),
    service(5672, "amqp", "AMQP, RabbitMQ"),
    service(5900, "vnc", "VNC"),
    service(6379, "redis", "Redis and Valkey"),
    service(6443, "kubernetes", "the API of Kubernetes"),
    service(8080, "http-alt", "HTTP, by custom"),
    service(8123, "home-assistant", "Home Assistant"),
    service(8443, "https-alt", "HTTPS, by custom"),
    service(9090, "prometheus", "Prometheus"),
    service(9092, "kafka", "Kafka"),
    service(9100, "node-exporter", "Prometheus node exporter"),
    service(9200, "elasticsearch", "Elasticsearch and OpenSearch"),
    service(27017, "mongodb", "MongoDB"),
    service(32400, "plex", "Plex"),
];

/// The service that usually listens on a port.
pub(super) fn service_at(port: u16) -> Option<&'static Service> {
    SERVICES.iter().find(|it| it.port == port)
}

/// "1 device", "3 devices", "no device".
pub(super) fn count(number: usize, one: &str) -> String {
    match (number, one.strip_suffix('y')) {
        (0, _) => format!("no {one}"),
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) if one.ends_with("ss") => format!("{number} {one}es"),
        (_, None) => format!("{number} {one}s"),
    }
}
