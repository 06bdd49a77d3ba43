using System.Globalization;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>
/// Writes into the log that sessions have ended, and which machines have gone with each. Whoever runs a hub wants to
/// know of a client that died, and not of one that left in order, or of all of them when the hub itself stops.
/// </summary>
internal sealed class SessionEnds(ILogger logger, MachineRegistry machines)
{
    // A client can lose as many sessions as it likes to.
    private readonly RepeatedLines _lost = new();

    /// <summary>Writes that a session has ended.</summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="owner">The owner of its machines, which have gone.</param>
    /// <param name="verdict">The cause of the end. Success means that the client wished it.</param>
    /// <param name="reason">The cause in words.</param>
    public void Tell(string sessionId, MachineOwner owner, Verdict verdict, string reason)
    {
        var process = owner.Peer.ProcessId == 0
            ? "not known"
            : owner.Peer.ProcessId.ToString(CultureInfo.InvariantCulture);
        var name = PeerText.Clean(owner.Name);
        var gone = machines.DescribeGone(owner);
        var isLost = !verdict.IsOk && verdict != HubCore.Stopped;
        var leftOut = 0L;

        // A line too many for the usual log is still one of the lines for whoever wants to see each session.
        if (!isLost || !_lost.Next(out leftOut))
        {
            logger.SessionEnded(name, process, reason, gone, sessionId);
            return;
        }

        WriteLeftOut(leftOut);
        logger.SessionLost(name, process, reason, gone, sessionId);
    }

    /// <summary>Writes how many lines were left out since the last one.</summary>
    public void WriteRest() => WriteLeftOut(_lost.TakeRest());

    private void WriteLeftOut(long count)
    {
        if (count > 0)
        {
            logger.LinesLeftOut(nameof(HubLog.SessionLost), count);
        }
    }
}
