using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// A connection in direct mode: frames of many calls in the two rings. Receiving is done by one thread at a time,
/// who has the turn; sending by any number of threads at once. Neither waits for the other: what cannot be sent now
/// waits in its call, and receiving goes on.
/// </summary>
/// <remarks>
/// Its parts do the work, each with its own fields: <see cref="ReceivingTurn"/> says who receives, <see
/// cref="FrameReceiver"/> takes frames off the ring and <see cref="IncomingCalls"/> takes calls; <see
/// cref="FrameWriter"/> puts frames into the ring, for <see cref="CallSender"/> and for <see cref="ControlFrames"/>;
/// <see cref="Pings"/> and <see cref="GoingAway"/> are what control frames are about; <see cref="CallWatch"/> is what
/// the heartbeat does. This names the connection to its calls and to those who use it, and brings it to its end.
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
    /// <param name="connection">The connection; stays the caller's to dispose.</param>
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

    /// <summary>What its calls may hold together; <see langword="null"/> for any number of bytes.</summary>
    public ConnectionBudget? Budget { get; }

    public bool IsClient { get; }

    /// <inheritdoc cref="FrameWriter.MaxFrame"/>
    public int MaxFrame => _writer.MaxFrame;

    public SentPairs SentPairs { get; } = new();

    public ReceivedPairs ReceivedPairs { get; } = new();

    /// <summary>Makes the exception for a call that the peer has reset, from the error and a sentence.</summary>
    public Func<CallError, string, Exception> ResetException { get; set; }

    /// <summary>
    /// What the exception for a call that the peer has reset says, whatever the error; without it, what the error
    /// means.
    /// </summary>
    public string? PeerResetText { get; init; }

    /// <summary>Makes what calls are told of the end of the connection.</summary>
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

    /// <summary>What is signalled when something has come, or has changed.</summary>
    public ISignaledOperation Receiving => _receiving;

    /// <inheritdoc cref="CallWatch.Clock"/>
    public long Clock => _watch.Clock;

    /// <summary>Completes when nothing more will come, with the reason; then all calls have ended.</summary>
    public Task<Exception> Completion => _completion.Task;

    /// <summary>
    /// Comes when the last call has left, and when a server that goes away takes no more while there are none. On any
    /// thread; must not block.
    /// </summary>
    public Action? OnIdle { get; set; }

    /// <summary>
    /// Comes when a call has left after <see cref="AskForRoom"/> found no room. On any thread; must not block.
    /// </summary>
    public Action? OnRoom { get; set; }

    /// <summary>Comes when the server goes away. By the thread that receives; must not block.</summary>
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
    /// <returns>Whether there is, or never will be. If not, <see cref="OnRoom"/> comes when there may be.</returns>
    public bool AskForRoom() => _calls.AskForRoom(MaxCalls);

    /// <summary>Begins a call. On a client, any thread.</summary>
    /// <returns>
    /// Whether it has an id now. If not, the connection is going away or lost, or has as many as it may.
    /// </returns>
    public bool TryBegin(CallStream call) => TryBegin(call, out _);

    /// <summary>Begins a call. On a client, any thread.</summary>
    /// <param name="call">The call.</param>
    /// <param name="isFull">Whether it is not begun because there are as many as there may be.</param>
    /// <returns>Whether it has an id now.</returns>
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

    /// <summary>The call has left.</summary>
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
            // A pong may wait for it.
            CheckHeldPong();
        }
    }

    /// <summary>Whether a call is under way with that id.</summary>
    public bool Has(CallStream call, uint id) => ReferenceEquals(_calls.Find(id), call);

    /// <summary>
    /// Sends a message, if there is room and it is the call's turn (is resumed) or no other call waits. Under the
    /// call's gate.
    /// </summary>
    /// <returns>Whether it was sent. If not, the call will be resumed.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TrySend(
        CallStream call,
        FrameFlags flags,
        ReadOnlySpan<byte> headers,
        ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> trailers,
        bool isResumed)
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
        return _sender.TrySend(call, header, headers, data, trailers, isResumed);
    }

    /// <summary>Sends a frame that is all header, if there is room. Under the call's gate.</summary>
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
    /// Says that the client is to begin no calls here any more; those under way go on. On a server, once. Calls that
    /// the client began before it heard of it are still taken: a ping goes behind, and when its answer has come there
    /// are no more of them.
    /// </summary>
    public void GoAway() => _goingAway.Begin();

    /// <summary>
    /// Takes no calls from now on, be it that the client has not heard of the going away yet. On a server, any thread.
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
    /// <returns>Completes when it came; fails when the connection ends first.</returns>
    /// <remarks>It is answered by the peer's reactor, so it says nothing of the peer's handlers.</remarks>
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

    /// <summary>The peer asks for a sign of life. By the thread that receives.</summary>
    internal void ReceivePing(ulong number) => _goingAway.Answer(number, IsClient);

    /// <summary>The peer has answered a ping. By the thread that receives.</summary>
    internal void ReceivePong(ulong number)
    {
        if (_pings.TakeAnswer(number) && !TakesNone)
        {
            TakeNone();
        }
    }

    /// <summary>The server goes away. On a client, by the thread that receives.</summary>
    internal void ReceiveGoingAway()
    {
        if (_goingAway.TryNote())
        {
            _calls.AdmitNone();
            OnGoingAway?.Invoke();
        }
    }

    /// <summary>
    /// Lets those go on that wait for the thread that receives, which calls this in each of its turns.
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
        // From here on the connection itself sends nothing, and below each call neither: then the memory may go.
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
                // A bug of the call's, which must not keep the others waiting for ever. Goes to the connection's owner.
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
