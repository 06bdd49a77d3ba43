namespace GrpcShm.Transport;

/// <summary>The process at the other end of a connection, as the operating system knows it.</summary>
/// <param name="ProcessId">
/// The peer's process id as seen from this process; 0 if it has none here (in another container). Use it in logs
/// alone: the system may have given the id to another process since.
/// </param>
/// <param name="User">The user on whose behalf the peer acted at the time it connected or listened.</param>
/// <param name="GroupId">
/// The id of the peer's effective group at that time, as the system writes it; <see langword="null"/> if the system
/// does not say.
/// </param>
public sealed record SharedMemoryPeer(int ProcessId, PeerIdentity User, string? GroupId);
