namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>The resources that the processes of a run have used in it.</summary>
/// <param name="Client">The measuring process.</param>
/// <param name="Server">The server's process; null if it is no process of its own.</param>
/// <param name="Peer">The third process; null if the scenario has none.</param>
internal readonly record struct RunUsage(ResourceUsage Client, ResourceUsage? Server, ResourceUsage? Peer)
{
    /// <summary>
    /// The doorbells of all processes; null for transports without doorbells. The client's process also has
    /// connections of other transports. Only the server's figures show whether this transport has doorbells.
    /// </summary>
    public long? Doorbells => Client.Doorbells + Server?.Doorbells + (Peer is { } peer ? peer.Doorbells ?? 0 : 0);

    /// <summary>How often a thread of any of them slept; null if the system does not report it.</summary>
    public long? Sleeps => Client.Sleeps + (Server?.Sleeps ?? 0) + (Peer?.Sleeps ?? 0);
}
