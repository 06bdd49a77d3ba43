using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Knows which machines are there, for one subscriber to them. After a lost connection the hub names the machines that
/// are there anew: a machine that is not among them any more has gone in between.
/// </summary>
/// <remarks>Its events come one after the other, like the events of every subscription.</remarks>
internal sealed class PresenceTracker(Func<MachinePresence, Task> handler)
{
    private Dictionary<string, MachinePresence> _known = new(StringComparer.Ordinal);

    // The machines that have been named since a session began; none once all have been named.
    private Dictionary<string, MachinePresence>? _named;

    /// <summary>Makes a tracker that waits for one machine.</summary>
    /// <returns>The tracker, and a task that completes when the machine is there.</returns>
    public static (PresenceTracker Tracker, Task Present) AwaitMachine(string machineId)
    {
        var present = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // The id may hold characters that are special in a pattern, which then matches other machines, too.
        var tracker = new PresenceTracker(presence =>
        {
            if (presence.IsPresent && presence.MachineId == machineId)
            {
                present.TrySetResult();
            }

            return Task.CompletedTask;
        });
        return (tracker, present.Task);
    }

    public async Task HandleAsync(BusEvent received)
    {
        if (received.View.MachineChange is not { } change)
        {
            return;
        }

        switch (change.Kind)
        {
            case MachineChangeKind.Present:
                var present = Describe(received, change);
                (_named ??= new(StringComparer.Ordinal))[present.MachineId] = present;
                if (!_known.ContainsKey(present.MachineId))
                {
                    await handler(present).ConfigureAwait(false);
                }

                break;
            case MachineChangeKind.Complete:
                await CompleteAsync(received.Timestamp).ConfigureAwait(false);
                break;
            default:
                await ChangeAsync(Describe(received, change)).ConfigureAwait(false);
                break;
        }
    }

    private static MachinePresence Describe(BusEvent received, MachineChange change) => new()
    {
        MachineId = received.SourceMachineId,
        Change = change.Kind,
        Reason = PeerText.Clean(change.Reason, PeerText.MaxSentence),
        Groups = [.. change.Machine?.Groups ?? []],
        Owner = PeerText.Clean(change.Machine?.Owner),
        Timestamp = received.Timestamp,
    };

    private async Task CompleteAsync(DateTime timestamp)
    {
        var named = _named ?? new(StringComparer.Ordinal);
        MachinePresence[] gone = [.. _known.Values.Where(machine => !named.ContainsKey(machine.MachineId))];
        (_known, _named) = (named, null);
        List<Exception> failures = [];
        foreach (var machine in gone)
        {
            try
            {
                await handler(new MachinePresence
                {
                    MachineId = machine.MachineId,
                    Change = MachineChangeKind.Lost,
                    Reason = "It had gone when the connection to the hub was restored.",
                    Groups = machine.Groups,
                    Owner = machine.Owner,
                    Timestamp = timestamp,
                }).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                // The handler is told of the other machines all the same.
                failures.Add(exception);
            }
        }

        if (failures.Count > 0)
        {
            throw new AggregateException(failures);
        }
    }

    private Task ChangeAsync(MachinePresence presence)
    {
        if (presence.IsPresent)
        {
            _known[presence.MachineId] = presence;
        }
        else
        {
            _known.Remove(presence.MachineId);
        }

        return handler(presence);
    }
}
