namespace GrpcShm.Transport;

/// <summary>Who is at the other end of a connection, as the operating system says, not as the peer claims.</summary>
/// <param name="ProcessId">
/// The peer's process id as seen from this process, 0 where it has none here (another container). Only good for logs:
/// it may have been given to another process since.
/// </param>
/// <param name="UserId">The peer's effective user id at the time it connected or listened.</param>
/// <param name="GroupId">The peer's effective group id at that time.</param>
public readonly record struct SharedMemoryPeer(int ProcessId, uint UserId, uint GroupId);
