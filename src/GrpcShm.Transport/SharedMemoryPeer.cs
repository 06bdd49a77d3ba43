namespace GrpcShm.Transport;

/// <summary>Who is at the other end of a connection, as the operating system says, not as the peer claims.</summary>
/// <param name="ProcessId">
/// The peer's process id as seen from this process, 0 where it has none here (another container). Only good for logs:
/// it may have been given to another process since.
/// </param>
/// <param name="User">The user on whose behalf the peer acted at the time it connected or listened.</param>
/// <param name="GroupId">
/// The id of the peer's effective group at that time, as the system writes it; <see langword="null"/> where the system
/// does not tell.
/// </param>
public sealed record SharedMemoryPeer(int ProcessId, PeerIdentity User, string? GroupId);
