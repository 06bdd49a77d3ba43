using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Rendezvous;

/// <summary>
/// What a listener logs and counts about its clients. Lines that a client can cause as often as it likes are summed up.
/// Any thread.
/// </summary>
internal sealed class ListenerLog(SharedMemoryEndPoint endPoint, TransportMetrics metrics, ILogger logger)
{
    private readonly RepeatedLines _refusals = new();
    private readonly RepeatedLines _failures = new();

    /// <summary>Sums up the lines on connections of this endpoint whose peer broke a rule.</summary>
    public RepeatedLines Violations { get; } = new();

    /// <summary>Logs and counts that a client got no connection.</summary>
    public void WriteRefusal(SharedMemoryPeer peer, RefusalCode code, string reason)
    {
        metrics.CountRefusedHandshake(code, ConnectionRole.Server);
        if (!_refusals.Next(out var leftOut))
        {
            return;
        }

        WriteLeftOut(nameof(Log.ClientRefused), leftOut);
        Log.ClientRefused(
            logger,
            code == RefusalCode.Gone ? LogLevel.Debug : LogLevel.Warning,
            endPoint,
            peer.ProcessId,
            peer.User.Id,
            code,
            reason);
    }

    /// <summary>Logs that foreign code failed during a handshake.</summary>
    public void WriteFailure(Exception exception)
    {
        if (_failures.Next(out var leftOut))
        {
            WriteLeftOut(nameof(Log.ListenerFailed), leftOut);
            Log.ListenerFailed(logger, endPoint, exception);
        }
    }

    /// <summary>
    /// Logs how many lines of each kind have been left out since the last line. When the listener ends.
    /// </summary>
    public void WriteRest()
    {
        WriteLeftOut(nameof(Log.ClientRefused), _refusals.TakeRest());
        WriteLeftOut(nameof(Log.ProtocolViolation), Violations.TakeRest());
        WriteLeftOut(nameof(Log.ListenerFailed), _failures.TakeRest());
    }

    private void WriteLeftOut(string kind, long count)
    {
        if (count > 0)
        {
            Log.LinesLeftOut(logger, endPoint, kind, count);
        }
    }
}
