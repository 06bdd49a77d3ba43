using Google.Protobuf.Collections;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Flows;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// The connection: made, lost, made again.
public sealed partial class EventClient
{
    private static readonly TimeSpan AttemptTime = TimeSpan.FromSeconds(10);

    private SessionEvents? _sessionEvents;
    private CancellationTokenSource? _stopping;
    private Task _running = Task.CompletedTask;
    private Task _connected = Task.CompletedTask;
    private SessionLink? _link;
    private Exception? _lastFailure;
    private int _state;

    /// <summary>Connects to the hub, and keeps connected until <see cref="DisconnectAsync"/>. Does nothing if it is connected.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EventBusException">
    /// The hub could not be reached within <see cref="EventBusClientOptions.ConnectTimeout"/>, or refuses (<c>Unavailable</c>).
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed.</exception>
    public async Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        Task connected;
        Connecting? begun = null;
        lock (_connectionLock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_stopping is null)
            {
                begun = new Connecting(_stopping = new CancellationTokenSource(), _running);
                (_connected, _running) = (begun.First.Task, begun.Over.Task);
            }

            connected = _connected;
        }

        if (begun is not null)
        {
            Begin(begun);
        }

        try
        {
            await connected.WaitAsync(_options.ConnectTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            var failure = _lastFailure;
            await DisconnectAsync(CancellationToken.None).ConfigureAwait(false);
            throw new EventBusException(
                StatusCode.Unavailable,
                $"The hub could not be reached within {_options.ConnectTimeout.TotalSeconds:0.###} s: {failure?.Message ?? "no answer"}. "
                + "Is its process running, and does it call MapEventBus?",
                null,
                failure);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await DisconnectAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    // Outside of the lock, since it logs. What is sent from here on waits for the connection; behind one that is still being ended, what is
    // sent from when that has gone.
    private void Begin(Connecting begun)
    {
        var isAlone = begun.Previous.IsCompleted;
        if (isAlone)
        {
            Open();
        }

        // The connection outlives its caller: in a handler's flow, say, it would be a part of that handler for all its life.
        _ = LongLived.Start(async () =>
        {
            if (!isAlone)
            {
                // The one before is being ended by somebody: its end must not be taken for this one's.
                await begun.Previous.ConfigureAwait(false);
                Open();
            }

            await RunAsync(begun).ConfigureAwait(false);
        });

        void Open()
        {
            _queue.Open();
            SetState(EventBusConnectionState.Connecting, null);
        }
    }

    private async Task RunAsync(Connecting begun)
    {
        var (first, own, stopping) = (begun.First, begun.Stopping, begun.Token);
        Exception? reason = null;
        List<PendingCommand> left = [];
        try
        {
            while (true)
            {
                var unanswered = left;
                left = [];
                var link = await ConnectOnceAsync(unanswered, stopping).ConfigureAwait(false);
                try
                {
                    SetState(EventBusConnectionState.Connected, null);
                    first.TrySetResult();
                    reason = await link.Ended.WaitAsync(stopping).ConfigureAwait(false);
                }
                finally
                {
                    left = await TakeOverAsync(link).ConfigureAwait(false);
                }

                stopping.ThrowIfCancellationRequested();
                if (!ReferenceEquals(Volatile.Read(ref _stopping), own))
                {
                    reason = null;
                    break;
                }

                SetState(EventBusConnectionState.Reconnecting, reason);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            reason = null;
        }
        catch (Exception exception)
        {
            reason = exception;
        }

        Stop(begun, left, reason);
    }

    private async Task<SessionLink> ConnectOnceAsync(List<PendingCommand> unanswered, CancellationToken stopping)
    {
        // Whatever an attempt leaves behind goes into the next one.
        var left = unanswered;
        return await _connectPipeline.ExecuteAsync(
            async cancellationToken =>
            {
                _sessionEvents ??= new SessionEvents(this);
                var link = new SessionLink(_contract, _queue, _sessionEvents);
                try
                {
                    link.StartReading();
                    await link.Opened.WaitAsync(AttemptTime, cancellationToken).ConfigureAwait(false);
                    var restoring = Restore();
                    _queue.PutInFront(restoring.Concat(left));
                    left = [];
                    Volatile.Write(ref _link, link);
                    link.StartWriting();
                    var restored = Task.WhenAll(restoring.Select(command => (Task)command.Task))
                        .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                    await Task.WhenAny(restored, link.Ended).WaitAsync(cancellationToken).ConfigureAwait(false);
                    return link;
                }
                catch (Exception exception)
                {
                    _lastFailure = exception;
                    link.End(exception);

                    // Before the session stood these are the commands as they were, afterwards what it took of them.
                    left = [.. await TakeOverAsync(link).ConfigureAwait(false), .. left];
                    throw;
                }
            },
            stopping).ConfigureAwait(false);
    }

    // What the lost session leaves: requests fail, for they may have been handled; all else is sent again.
    private async Task<List<PendingCommand>> TakeOverAsync(SessionLink link)
    {
        var repeated = new List<PendingCommand>();
        foreach (var command in await link.TakeUnansweredAsync().ConfigureAwait(false))
        {
            if (command.IsRestoring)
            {
                command.TrySetResult(null);
            }
            else if (command.MayRepeat)
            {
                command.IsRepeated = true;
                repeated.Add(command);
            }
            else
            {
                Fail(command, new EventBusException(
                    StatusCode.Unavailable, "The connection was lost before the reply came. The request may have been handled.", command.Command.Send?.Target));
            }
        }

        return repeated;
    }

    // The commands that make the hub know this client again.
    private List<PendingCommand> Restore()
    {
        var commands = new List<PendingCommand>
        {
            new(new SessionCommand { Open = new OpenSession { InstanceId = InstanceId, Name = _options.Name } }, CommandOverhead) { IsRestoring = true },
        };
        foreach (var receiver in _receivers.Values.Where(receiver => receiver.IsStanding).OrderBy(receiver => receiver.Number))
        {
            commands.AddRange(CommandsFor(receiver, isRestoring: true));
        }

        commands.AddRange(_waits.Told().Select(
            static wait => new PendingCommand(new SessionCommand { BeginWait = wait }, CommandOverhead) { IsRestoring = true }));
        return commands;
    }

    // From one ConnectAsync to the end of what it began.
    private sealed class Connecting(CancellationTokenSource stopping, Task previous)
    {
        public CancellationTokenSource Stopping { get; } = stopping;

        // Its source may have been disposed of when the token is looked at.
        public CancellationToken Token { get; } = stopping.Token;

        /// <summary>Completes when there is nothing left of the one before.</summary>
        public Task Previous { get; } = previous;

        /// <summary>The first connection.</summary>
        public TaskCompletionSource First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes when nothing is left of it.</summary>
        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private void SetState(EventBusConnectionState state, Exception? reason)
    {
        Volatile.Write(ref _state, (int)state);
        _logger.ConnectionChanged(state, reason?.Message ?? "");
        Raise(ConnectionChanged, new EventBusConnectionChange(state, reason));
    }

    // A class of its own, so that none of it is public.
    private sealed class SessionEvents(EventClient client) : ISessionEvents
    {
        public IThreadPoolWorkItem? Deliver(SessionLink link, RepeatedField<Delivery> deliveries)
        {
            EventReceiver? inline = null;
            foreach (var delivery in deliveries)
            {
                if (client._receivers.TryGetValue(delivery.Subscription, out var receiver) && receiver.Put(link, delivery))
                {
                    if (inline is not null)
                    {
                        ThreadPool.UnsafeQueueUserWorkItem(inline, preferLocal: false);
                    }

                    inline = receiver;
                }
            }

            return inline;
        }

        public void Answer(PendingCommand command, Outcome? outcome) => client.Answer(command, outcome);

        public void Lost(Loss loss)
        {
            if (client._receivers.TryGetValue(loss.Subscription, out var receiver))
            {
                client.ReportLoss(receiver.Name, (long)loss.Dropped);
            }
        }
    }
}
