using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>The begin and the end of one session, for the hub and for all parts of the session.</summary>
internal sealed class SessionLife(HubCore hub, MachineOwner owner)
{
    private readonly TaskCompletionSource<Verdict> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The verdict on a command that comes when the session has ended.</summary>
    public static Verdict Ended { get; } = new(Grpc.Core.StatusCode.Unavailable, "The session has ended.", "");

    /// <summary>The verdict on a session whose call was cancelled, which does not say why.</summary>
    public static Verdict ConnectionLost { get; } =
        new(Grpc.Core.StatusCode.Unavailable, "The session's connection ended.", "");

    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <summary>True if the session is over, or about to be: the hub must not make it known any more.</summary>
    public bool HasEnded => _ended.Task.IsCompleted;

    /// <summary>Completes with the cause when the session ends. Success means that the client wished it.</summary>
    public Task<Verdict> Ending => _ended.Task;

    /// <summary>Notes that the session runs.</summary>
    public void Begin()
    {
        hub.Metrics.CountBegunSession();
        hub.Logger.SessionBegan(Id);
    }

    /// <summary>Takes the names that the client gives itself, and makes the session known by them.</summary>
    public Verdict Open(OpenSession open)
    {
        var verdict = hub.Limits.CheckText(open.Name, "name of the session");
        verdict = verdict.IsOk ? hub.Limits.CheckText(open.InstanceId, "instance id") : verdict;
        if (verdict.IsOk)
        {
            owner.Name = open.Name;
            owner.InstanceId = open.InstanceId;
            if (!hub.AddSession(this, owner))
            {
                return Ended;
            }

            hub.Logger.SessionOpened(Id, open.Name, open.InstanceId);
        }

        return verdict;
    }

    /// <summary>
    /// Ends the session. The first cause wins. The session's machines are unregistered when this returns.
    /// </summary>
    public void End(Verdict verdict)
    {
        var isFirst = _ended.TrySetResult(verdict);
        verdict = isFirst ? verdict : _ended.Task.Result;

        // Each caller unregisters the machines: the first caller may not have come so far yet, and the session that
        // replaces this one registers the same machines next.
        if (verdict.IsOk)
        {
            hub.Machines.End(owner, MachineChangeKind.Unregistered, "Its process closed its session.");
        }
        else
        {
            hub.Machines.End(owner, MachineChangeKind.Lost, verdict.Message);
        }

        if (isFirst)
        {
            // Only after the machines have gone: until then a session that replaces this one has to find it.
            hub.RemoveSession(this, owner);
            hub.Metrics.CountEndedSession();
        }
    }

    /// <summary>
    /// Writes into the log that the session has ended. Call it once, after <see cref="End"/> has returned.
    /// </summary>
    /// <param name="cause">The cause by which the connection was lost; none if nobody has seen it.</param>
    public void TellOfEnd(string? cause)
    {
        var verdict = _ended.Task.Result;
        var reason = verdict.IsOk ? "The client closed it." : verdict.Message;
        hub.SessionEnds.Tell(Id, owner, verdict, verdict == ConnectionLost ? cause ?? reason : reason);
    }
}
