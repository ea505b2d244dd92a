/// Why the private database server cannot run.
public enum PrivateServerError: Error, Hashable, Sendable {
    /// A Unix socket's path has at most 107 bytes; this one has `length`.
    case socketPathTooLong(length: Int)
    /// A path for the server may not have line breaks or quotes: it is written into its configuration.
    case pathRefused(String)
    /// A needed program is not installed (package mariadb-server, util-linux).
    case programMissing(String)
    /// A program could not be started, or ended with this status.
    case programFailed(program: String, status: Int32)
    /// A file or folder of the state folder could not be made, read or written (`errno`).
    case fileFailed(path: String, errno: Int32)
    /// Another process uses this state folder.
    case inUse(String)
    /// The account of the operating system that we run as has no name, or the name of one of our database accounts.
    case userRefused(String)
    /// The server does not answer; its log says why.
    case notAnswering(log: String)
}

extension PrivateServerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .socketPathTooLong(let length):
            "the path of the database socket has \(length) bytes; Unix sockets allow 107, choose a shorter folder"
        case .pathRefused(let path):
            "the path \(path) cannot be used for the database (relative, or with quotes or breaks)"
        case .programMissing(let program): "\(program) is not installed (packages mariadb-server and util-linux)"
        case .programFailed(let program, let status): "\(program) failed with status \(status)"
        case .fileFailed(let path, let errno): "\(path): error \(errno)"
        case .inUse(let folder): "another process uses the database in \(folder)"
        case .userRefused(let name): "the database cannot run as the system user '\(name)'"
        case .notAnswering(let log): "the database server does not answer; see \(log)"
        }
    }
}
