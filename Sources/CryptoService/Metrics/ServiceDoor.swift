import NIOCore

/// By which way a request came.
public enum ServiceDoor: UInt8, Sendable, Hashable, CaseIterable {
    /// Host commands over plain TCP.
    case tcp
    /// Host commands over TLS.
    case tls
    case http
    case https

    /// The value of the label `door`.
    public var name: String {
        switch self {
        case .tcp: "tcp"
        case .tls: "tls"
        case .http: "http"
        case .https: "https"
        }
    }
}

/// Why a connection ended.
public enum ConnectionEnd: UInt8, Sendable, Hashable, CaseIterable {
    /// The client closed it.
    case client
    /// No request for `crypto.idleSeconds`.
    case idle
    /// No byte at all within `crypto.firstByteSeconds`.
    case firstByte
    /// A frame that was begun was not whole within `crypto.frameSeconds`, or a request over HTTP within `crypto.requestSeconds`.
    case frameTime
    /// A frame longer than `crypto.frameLimit`: what follows it cannot be found.
    case frameSize
    /// The client was disabled, or its certificate revoked.
    case access
    /// The server stops.
    case stop
    /// The system's or TLS's error.
    case fault

    /// The value of the label `reason`.
    public var name: String {
        switch self {
        case .client: "client"
        case .idle: "idle"
        case .firstByte: "first_byte"
        case .frameTime: "frame_time"
        case .frameSize: "frame_size"
        case .access: "access"
        case .stop: "stop"
        case .fault: "fault"
        }
    }
}

/// Why a connection was closed before it was served.
public enum ConnectionRefusal: UInt8, Sendable, Hashable, CaseIterable {
    /// `crypto.connectionLimit` connections are open.
    case limit
    /// `crypto.addressConnectionLimit` connections of this address are open.
    case addressLimit
    /// An address from which this door takes nothing.
    case address
    /// No client of this name or certificate.
    case access
    /// The server stops.
    case stopping

    /// The value of the label `reason`.
    public var name: String {
        switch self {
        case .limit: "limit"
        case .addressLimit: "address_limit"
        case .address: "address"
        case .access: "access"
        case .stopping: "stopping"
        }
    }
}

/// A door's address as people write it.
enum DoorAddress {
    static func text(_ address: SocketAddress?) -> String {
        guard let address, let host = address.ipAddress, let port = address.port else { return "" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
