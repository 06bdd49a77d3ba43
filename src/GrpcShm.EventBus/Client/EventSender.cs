using GrpcShm.EventBus.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// The sends, requests and publications of a program, from its arguments to its result. A client and the hub's own
/// process send by this one type, so that they fail alike: a null argument throws at the call, every other failure
/// comes by the task.
/// </summary>
internal sealed class EventSender(
    Polly.ResiliencePipeline? pipeline,
    TimeSpan acknowledgementTimeout,
    NewEvents newEvents,
    IEventDispatcher dispatcher,
    SendReports reports,
    ClientEnd end)
{
    private static readonly EventSendOptions DefaultOptions = new();
    private static readonly EventPublishOptions ForAll = new();

    private readonly Polly.ResiliencePipeline _pipeline = pipeline ?? DefaultPipelines.Sending();

    /// <summary>Sends an event until it is accepted. It has its place in the order when this returns.</summary>
    public Task Send(
        string sourceMachineId,
        string targetMachineId,
        string eventName,
        object? payload,
        CancellationToken cancellationToken)
    {
        CheckNames(sourceMachineId, targetMachineId, eventName);
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        try
        {
            end.ThrowIfDisposed();
            var @event = newEvents.Make(sourceMachineId, targetMachineId, eventName, payload, null);
            return dispatcher.Send(@event, AcknowledgementLevel.Accepted, cancellationToken);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return Task.FromException(exception);
        }
    }

    /// <summary>Sends an event as far as the options say. It has its place in the order when this returns.</summary>
    public Task<EventSendResult> Send(
        string sourceMachineId,
        string targetMachineId,
        string eventName,
        object? payload,
        EventSendOptions? options,
        CancellationToken cancellationToken)
    {
        CheckNames(sourceMachineId, targetMachineId, eventName);
        return SendAsync(
            sourceMachineId, targetMachineId, eventName, payload, options ?? DefaultOptions, cancellationToken);
    }

    /// <summary>Sends a request, and waits for the reply.</summary>
    public Task<BusEvent> Request(
        string sourceMachineId,
        string targetMachineId,
        string eventName,
        object? payload,
        TimeSpan? timeout,
        CancellationToken cancellationToken)
    {
        CheckNames(sourceMachineId, targetMachineId, eventName);
        return RequestAsync(sourceMachineId, targetMachineId, eventName, payload, timeout, cancellationToken);
    }

    /// <summary>Publishes an event. Without options it is for all machines.</summary>
    /// <returns>How many mailboxes the event was put into.</returns>
    public Task<int> Publish(
        string eventName, object? payload, EventPublishOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(eventName);
        return PublishAsync(eventName, payload, options ?? ForAll, cancellationToken);
    }

    /// <summary>Publishes a change of a machine's state to its subscribers.</summary>
    /// <returns>How many mailboxes the event was put into.</returns>
    public Task<int> PublishStateChange(
        string machineId,
        MachineStateChange change,
        object? payload,
        EventSendOptions? options,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        ArgumentNullException.ThrowIfNull(change);
        return PublishStateChangeAsync(machineId, change, payload, options, cancellationToken);
    }

    private static void CheckNames(string sourceMachineId, string targetMachineId, string eventName)
    {
        ArgumentNullException.ThrowIfNull(sourceMachineId);
        ArgumentNullException.ThrowIfNull(targetMachineId);
        ArgumentNullException.ThrowIfNull(eventName);
    }

    private async Task<EventSendResult> SendAsync(
        string source,
        string target,
        string name,
        object? payload,
        EventSendOptions options,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        end.ThrowIfDisposed();
        var @event = newEvents.Make(source, target, name, payload, options);
        Outcome? outcome;
        if (options.Acknowledgement <= AcknowledgementLevel.Accepted)
        {
            outcome = await dispatcher.Send(@event, options.Acknowledgement, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            try
            {
                outcome = await SendByPipelineAsync(@event.ToOwned(), options, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (EventBusException exception)
            {
                reports.Tell(null, started: 0, MessagingOperation.Send(target), @event.Names, exception);
                if (exception.IsEndedByOwner && HandlerFlow.IsLeftBehind)
                {
                    return new EventSendResult("", null) { Failure = exception };
                }

                throw;
            }
        }

        if (outcome is null or { StatusCode: not 0 })
        {
            return new EventSendResult("", null) { Failure = outcome is null ? null : end.MakeReason(null) };
        }

        return new EventSendResult(
            outcome.NewState, outcome.Reply is null ? null : new BusEvent(outcome.Reply, newEvents.Codecs));
    }

    private async Task<Outcome?> SendByPipelineAsync(
        NewEvent @event, EventSendOptions options, CancellationToken cancellationToken)
    {
        var level = options.Acknowledgement;
        var timeout = options.Timeout ?? acknowledgementTimeout;
        var milliseconds = (uint)Math.Clamp(timeout.TotalMilliseconds, 1, int.MaxValue);
        return await _pipeline.ExecuteAsync(
            async attempt =>
                await dispatcher.AttemptSendAsync(@event, level, milliseconds, attempt).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<BusEvent> RequestAsync(
        string source,
        string target,
        string name,
        object? payload,
        TimeSpan? timeout,
        CancellationToken cancellationToken)
    {
        var options = new EventSendOptions
        {
            Acknowledgement = AcknowledgementLevel.Replied, Timeout = timeout, Id = Guid.NewGuid().ToString("N"),
        };
        var result = await SendAsync(source, target, name, payload, options, cancellationToken).ConfigureAwait(false);
        return result.Failure is null ? result.Reply! : throw result.Failure;
    }

    private async Task<int> PublishAsync(
        string name, object? payload, EventPublishOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        end.ThrowIfDisposed();
        var @event = newEvents.Make(options.SourceMachineId, "", name, payload, options.Event);
        return await PublishAsync(@event, NewEvents.Publish(options), cancellationToken).ConfigureAwait(false);
    }

    private async Task<int> PublishStateChangeAsync(
        string machineId,
        MachineStateChange change,
        object? payload,
        EventSendOptions? options,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        end.ThrowIfDisposed();
        var @event = newEvents.Make(machineId, change, payload, options);
        var publication = NewEvents.Publish(new EventPublishOptions { ObserversOnly = true });
        return await PublishAsync(@event, publication, cancellationToken).ConfigureAwait(false);
    }

    private async Task<int> PublishAsync(
        NewEvent @event, Publication publication, CancellationToken cancellationToken)
    {
        var outcome = await dispatcher.Publish(@event, publication, cancellationToken).ConfigureAwait(false);
        return (int)(outcome?.Recipients ?? 0);
    }
}
