namespace GrpcShm.Transport.Rendezvous;

/// <summary>
/// The pauses between attempts to connect while there is no server: short at first, so that nobody notices them, and
/// then long enough that the attempts cost nothing.
/// </summary>
internal sealed class ConnectPause
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(50);

    private TimeSpan _next = TimeSpan.FromMilliseconds(1);

    /// <summary>Waits for the next attempt. By one caller at a time.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var pause = _next;
        _next = pause * 2 < Longest ? pause * 2 : Longest;
        return Task.Delay(pause, cancellationToken);
    }
}
