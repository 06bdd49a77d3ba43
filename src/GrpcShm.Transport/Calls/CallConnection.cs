using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// A connection in direct mode: frames of many calls in the two rings. One thread at a time, which has the turn,
/// receives; any number of threads send at once. Neither waits for the other: data that cannot be sent now waits in its
/// call, and receiving goes on.
/// </summary>
/// <remarks>
/// Its parts do the work, each with its own fields: <see cref="ReceivingTurn"/> says who receives, <see
/// cref="FrameReceiver"/> takes frames off the ring and <see cref="IncomingCalls"/> takes calls; <see
/// cref="FrameWriter"/> puts frames into the ring, for <see cref="CallSender"/> and for <see cref="ControlFrames"/>;
/// <see cref="Pings"/> and <see cref="GoingAway"/> decide which control frames are sent; <see cref="CallWatch"/> does
/// the heartbeat's work. This class is the face of the connection for its calls and its users, and ends it.
/// </remarks>
internal sealed class CallConnection
{
    private readonly SharedMemoryConnection _connection;
    private readonly CallTable _calls = new();
    private readonly FrameWriter _writer;
    private readonly FrameReceiver _frames;
    private readonly ReceivingTurn _receiving;
    private readonly CallSender _sender;
    private readonly ControlFrames _control;
    private readonly Pings _pings = new();
    private readonly GoingAway _goingAway;
    private readonly CallWatch _watch;
    private readonly TaskCompletionSource<Exception> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes a connection whose handshake chose direct mode.</summary>
    /// <param name="connection">The connection, of which the caller has to dispose.</param>
    /// <param name="settings">How calls are carried.</param>
    /// <param name="acceptor">Makes the calls that are received, on a server.</param>
    public CallConnection(SharedMemoryConnection connection, CallSettings settings, ICallAcceptor? acceptor)
    {
        _connection = connection;
        Settings = settings;
        if (settings.MaxBufferedBytes is { } most)
        {
            Budget = new ConnectionBudget(most, settings.MaxUnconsumedBytes, settings.SharedBudget);
        }

        IsClient = connection.Role == ConnectionRole.Client;
        MaxCalls = connection.MaxCalls;
        _writer = new FrameWriter(connection.OutboundFrames, connection.HasChecksums);
        _frames = new FrameReceiver(connection, this, _calls, new IncomingCalls(this, _calls, acceptor));
        _receiving = new ReceivingTurn(connection, this, _frames);
        _sender = new CallSender(connection, _writer, _receiving);
        _control = new ControlFrames(connection, _writer);
        _goingAway = new GoingAway(_control, _pings);
        _watch = new CallWatch(this, _calls, _writer, _sender, _control, _receiving);
        ResetException = (_, message) => connection.CreateResetException(message, null);
    }

    public CallSettings Settings { get; }

    /// <summary>The bound for the bytes of all its calls; <see langword="null"/> for any number of bytes.</summary>
    public ConnectionBudget? Budget { get; }

    public bool IsClient { get; }

    /// <inheritdoc cref="FrameWriter.MaxFrame"/>
    public int MaxFrame => _writer.MaxFrame;

    public SentPairs SentPairs { get; } = new();

    public ReceivedPairs ReceivedPairs { get; } = new();

    /// <summary>Makes the exception for a call that the peer has reset, from the error and a sentence.</summary>
    public Func<CallError, string, Exception> ResetException { get; set; }

    /// <summary>
    /// The message of the exception for a call that the peer has reset; if it is <see langword="null"/>, the message
    /// says what the error means.
    /// </summary>
    public string? PeerResetText { get; init; }

    /// <summary>Makes the exception for calls whose connection has ended.</summary>
    public Func<Exception, Exception> LossException { get; init; } = static failure => failure;

    /// <summary>How many calls have not left yet, without those that were refused.</summary>
    public int ActiveCalls => _calls.Count;

    /// <summary>How many calls there may be at once.</summary>
    public int MaxCalls { get; }

    /// <summary>Whether there are as many calls as there may be at the moment.</summary>
    public bool IsFull => _calls.Count >= MaxCalls;

    /// <summary>
    /// Whether the server has said that it goes away: a client begins no more calls on this connection.
    /// </summary>
    public bool IsGoingAway => _goingAway.IsUnderWay;

    /// <summary>Whether a server takes no calls any more, since its going away is through.</summary>
    public bool TakesNone => _goingAway.TakesNone;

    /// <summary>The operation to signal when frames have come, or a condition has changed.</summary>
    public ISignaledOperation Receiving => _receiving;

    /// <inheritdoc cref="CallWatch.Clock"/>
    public long Clock => _watch.Clock;

    /// <summary>Completes, with the reason, when no more frames will come; then all calls have ended.</summary>
    public Task<Exception> Completion => _completion.Task;

    /// <summary>
    /// Called when the last call has left, and when a server that goes away has no calls and takes no more. On any
    /// thread; must not block.
    /// </summary>
    public Action? OnIdle { get; set; }

    /// <summary>
    /// Called when a call has left after <see cref="AskForRoom"/> found no room. On any thread; must not block.
    /// </summary>
    public Action? OnRoom { get; set; }

    /// <summary>Called when the server goes away. By the thread that receives; must not block.</summary>
    public Action? OnGoingAway { get; set; }

    /// <summary>Begins to receive.</summary>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    public void Start()
    {
        // One lease for each direction, given back when all calls have ended.
        _connection.AttachSend(IdleOperation.Instance);
        _connection.AttachReceive(_receiving);
        _receiving.Start();
    }

    /// <summary>Asks whether there is room for a call. On a client, any thread.</summary>
    /// <returns>
    /// Whether there is room, or never will be. If not, <see cref="OnRoom"/> is called when there may be room.
    /// </returns>
    public bool AskForRoom() => _calls.AskForRoom(MaxCalls);

    /// <summary>Begins a call. On a client, any thread.</summary>
    /// <returns>
    /// Whether the call has an id now. If not, the connection is going away or lost, or has as many calls as it may.
    /// </returns>
    public bool TryBegin(CallStream call) => TryBegin(call, out _);

    /// <summary>Begins a call. On a client, any thread.</summary>
    /// <param name="call">The call.</param>
    /// <param name="isFull">Whether the call is not begun because there are as many calls as there may be.</param>
    /// <returns>Whether the call has an id now.</returns>
    public bool TryBegin(CallStream call, out bool isFull)
    {
        isFull = false;
        call.Attach(this);
        if (!IsGoingAway && _calls.TryAdd(call, MaxCalls, out isFull))
        {
            return true;
        }

        call.Detach();
        return false;
    }

    /// <summary>Removes a call that has left.</summary>
    public void Remove(CallStream call)
    {
        _sender.Remove(call);
        if (_calls.Remove(call, out var makesRoom))
        {
            OnIdle?.Invoke();
        }

        if (makesRoom)
        {
            OnRoom?.Invoke();
        }

        if (IsGoingAway)
        {
            // A pong may wait for the call.
            CheckHeldPong();
        }
    }

    /// <summary>Whether a call is under way with an id.</summary>
    public bool Has(CallStream call, uint id) => ReferenceEquals(_calls.Find(id), call);

    /// <summary>
    /// Sends a message, if there is room and it is the call's turn (is resumed) or no other call waits. Under the
    /// call's gate.
    /// </summary>
    /// <returns>Whether the message was sent. If not, the call will be resumed.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TrySend(
        CallStream call,
        FrameFlags flags,
        ReadOnlySpan<byte> headers,
        ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> trailers,
        bool isResumed,
        bool isQuiet)
    {
        var header = new FrameHeader
        {
            Length = (uint)(FrameHeader.Size + headers.Length + data.Length + trailers.Length),
            Type = FrameType.Message,
            Flags = flags,
            Call = call.Id,
            HeadersLength = (uint)headers.Length,
            TrailersLength = (uint)trailers.Length,
        };
        return _sender.TrySend(call, header, headers, data, trailers, isResumed, isQuiet);
    }

    /// <summary>Sends a frame that consists of the header alone, if there is room. Under the call's gate.</summary>
    public bool TrySend(CallStream call, FrameType type, uint argument, bool isResumed) =>
        _sender.TrySend(
            call, FrameWriter.CreateHeader(type, call.Id, argument), default, default, default, isResumed);

    /// <inheritdoc cref="CallSender.IsWaiting"/>
    public bool IsWaitingForRoom(uint id) => _sender.IsWaiting(id);

    /// <inheritdoc cref="FrameReceiver.ShowLater"/>
    public void ShowLater(CallStream call) => _frames.ShowLater(call);

    /// <inheritdoc cref="FrameReceiver.HoldPartial"/>
    public void HoldPartial(int change) => _frames.HoldPartial(change);

    /// <inheritdoc cref="CallWatch.Tick"/>
    public bool Tick(TimeSpan elapsed, CallTimeLimits limits, out bool isStuck) =>
        _watch.Tick(elapsed, limits, out isStuck);

    /// <summary>
    /// Tells the client to begin no more calls on this connection; calls under way go on. On a server, once. Calls that
    /// the client began before it knew are still taken: a ping follows, and when its answer has come, no more of them
    /// come.
    /// </summary>
    public void GoAway() => _goingAway.Begin();

    /// <summary>
    /// Takes no calls from now on, even if the client does not know of the going away yet. On a server, any thread.
    /// </summary>
    public void TakeNone()
    {
        _goingAway.TakeNone();
        _goingAway.Begin();
        if (ActiveCalls == 0)
        {
            OnIdle?.Invoke();
        }
    }

    /// <summary>
    /// Lets a pong be sent that waits until each call has sent its first message or has left. On a client whose peer is
    /// going away. Any thread, also under the call's gate.
    /// </summary>
    public void CheckHeldPong()
    {
        if (IsClient)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_receiving, preferLocal: false);
        }
    }

    /// <summary>Asks the peer for a sign of life.</summary>
    /// <returns>Completes when the sign of life has come; fails when the connection ends first.</returns>
    /// <remarks>The peer's reactor answers, so the answer says nothing of the peer's handlers.</remarks>
    public Task PingAsync()
    {
        var answer = _pings.WaitAsync(out var number);
        if (number != 0)
        {
            _control.Send(FrameType.Ping, number);
        }

        return answer;
    }

    public Exception CreateResetException(CallError error) =>
        ResetException(error, PeerResetText ?? error switch
        {
            CallError.Cancelled => "The peer cancelled the call.",
            CallError.Refused => "The peer did not take the call; it may be tried again.",
            CallError.TooMuch => "The peer did not take the call: it exceeds a limit of the peer's.",
            _ => $"The peer reset the call ({error}).",
        });

    /// <summary>Handles a ping of the peer. By the thread that receives.</summary>
    internal void ReceivePing(ulong number) => _goingAway.Answer(number, IsClient);

    /// <summary>Handles the peer's answer to a ping. By the thread that receives.</summary>
    internal void ReceivePong(ulong number)
    {
        if (_pings.TakeAnswer(number) && !TakesNone)
        {
            TakeNone();
        }
    }

    /// <summary>Handles the going away of the server. On a client, by the thread that receives.</summary>
    internal void ReceiveGoingAway()
    {
        if (_goingAway.TryNote())
        {
            _calls.AdmitNone();
            OnGoingAway?.Invoke();
        }
    }

    /// <summary>
    /// Does the work that other threads have left to the thread that receives, which calls this in each of its turns.
    /// </summary>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    internal void LetOthersGoOn()
    {
        _goingAway.AnswerHeldPing(this, _calls);
        _watch.EndOverdueBlocks();
        _control.Flush();
        _sender.ResumeWaiting(this);
    }

    /// <summary>Ends all calls. By the thread that has had the last turn.</summary>
    internal void End(Exception failure)
    {
        // From here on the connection itself sends nothing, and after the loop below no call does, either: then the
        // memory may be unmapped.
        _control.End();
        var ping = _pings.End();
        var loss = LossException(failure);
        foreach (var call in _calls.Close())
        {
            try
            {
                call.Lose(loss);
            }
            catch (Exception exception)
            {
                // A bug of the call, which must not let the other calls wait for ever. The connection's owner is told.
                failure = new AggregateException(failure, exception);
            }
        }

        Budget?.Close();
        ping?.TrySetException(new IOException("The connection has ended.", failure));
        _connection.Detach();
        _connection.Detach();
        _completion.TrySetResult(failure);
    }
}
