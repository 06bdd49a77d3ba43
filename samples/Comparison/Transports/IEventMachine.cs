namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>A machine of an event service.</summary>
internal interface IEventMachine : IAsyncDisposable
{
    /// <summary>
    /// Sends an event. It has its place in the order when this returns the task, which ends with the acknowledgement.
    /// </summary>
    /// <param name="targetId">The machine that it is for.</param>
    /// <param name="payload">Must not be changed afterwards.</param>
    Task SendAsync(string targetId, byte[] payload);
}
