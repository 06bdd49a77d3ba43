using System.Runtime.CompilerServices;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// What the hub knows: its machines, and how it is.
public sealed partial class EventClient
{
    // As much as the hub gives at once.
    private const int PageSize = 1000;

    /// <summary>
    /// Subscribes to the coming and going of machines. The handler is told first of the machines that are there, then of
    /// those that come and go; after a lost connection, of whatever changed in between.
    /// </summary>
    /// <param name="machinePattern">The machine, or a pattern of ids (<c>*</c>, <c>?</c>).</param>
    /// <param name="handler">Handles the changes, one after the other, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's. It cannot block.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The pattern is not valid, or the client is not connected.</exception>
    public Task<IDisposable> SubscribeToMachinesAsync(
        string machinePattern, Func<MachinePresence, Task> handler, MachineOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machinePattern);
        ArgumentNullException.ThrowIfNull(handler);
        return ObserveAsync(
            new Subscription { MachineChanges = machinePattern }, new PresenceTracker(handler).HandleAsync, options, cancellationToken);
    }

    /// <summary>Waits until a machine is registered. From then on it can be sent to.</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EventBusException">The id is not valid, or the client is not connected, or not any more (<c>Unavailable</c>).</exception>
    public async Task WaitForMachineAsync(string machineId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        var there = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // The id may hold what is special in a pattern, which then matches others, too.
        Func<BusEvent, Task> handler = new PresenceTracker(presence =>
        {
            if (presence.IsPresent && presence.MachineId == machineId)
            {
                there.TrySetResult();
            }

            return Task.CompletedTask;
        }).HandleAsync;
        var receiver = MakeReceiver(new Subscription { MachineChanges = machineId }, new MachineOptions(), handler);
        using var subscription = await BeginAsync(receiver, handler, cancellationToken).ConfigureAwait(false);
        if (await Task.WhenAny(there.Task, receiver.Ended).WaitAsync(cancellationToken).ConfigureAwait(false) != there.Task)
        {
            throw await receiver.Ended.ConfigureAwait(false);
        }
    }

    /// <summary>Lists the machines that are registered, those of other processes included, by id.</summary>
    /// <param name="machinePattern">Only those whose id matches (<c>*</c>, <c>?</c>), or <see langword="null"/> for all.</param>
    /// <param name="group">Only those in this group, or <see langword="null"/> for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The machines. They are asked for in pages, so machines that come and go meanwhile may or may not be among them.</returns>
    /// <exception cref="EventBusException">The pattern is not valid, or the hub cannot be reached.</exception>
    public async IAsyncEnumerable<MachineDescription> ListMachinesAsync(
        string? machinePattern = null, string? group = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = new ListMachinesRequest { MachinePattern = machinePattern ?? "", Group = group ?? "", PageSize = PageSize };
        do
        {
            var page = await AskHubAsync(options => _contract.ListMachinesAsync(request, options), cancellationToken).ConfigureAwait(false);
            foreach (var machine in page.Machines)
            {
                yield return new MachineDescription(
                    machine.MachineId,
                    machine.Groups,
                    machine.Subscribed,
                    (int)machine.Waiting,
                    DateTime.UnixEpoch.AddTicks(machine.RegisteredAt),
                    machine.Owner);
            }

            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }

    /// <summary>Asks the hub how it is. Needs no connection by <see cref="ConnectAsync"/>.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How it is.</returns>
    /// <exception cref="EventBusException">The hub cannot be reached.</exception>
    public async Task<HubHealth> GetHubHealthAsync(CancellationToken cancellationToken = default)
    {
        var request = new GetHealthRequest();
        var health = await AskHubAsync(options => _contract.GetHealthAsync(request, options), cancellationToken).ConfigureAwait(false);
        return new HubHealth(
            health.Status == HubStatus.Serving,
            TimeSpan.FromMilliseconds(health.UptimeMilliseconds),
            (int)health.Sessions,
            (int)health.Machines,
            (int)health.Subscriptions,
            (long)health.EventsAccepted,
            (long)health.EventsDropped);
    }

    private async Task<T> AskHubAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> ask, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        try
        {
            using var call = ask(new CallOptions(
                deadline: DateTime.UtcNow + _options.AcknowledgementTimeout, cancellationToken: cancellationToken));
            return await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, cancellationToken);
        }
        catch (RpcException exception)
        {
            throw HubFailure.From(exception);
        }
    }
}
