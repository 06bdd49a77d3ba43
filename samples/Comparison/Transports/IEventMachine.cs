namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>A machine of an event service.</summary>
internal interface IEventMachine : IAsyncDisposable
{
    /// <summary>
    /// Sends an event. When this method returns, the event has its place in the order. The task ends with the
    /// acknowledgement.
    /// </summary>
    /// <param name="targetId">The target machine.</param>
    /// <param name="payload">The payload. It may change as soon as this method has returned.</param>
    Task SendAsync(string targetId, byte[] payload);
}
