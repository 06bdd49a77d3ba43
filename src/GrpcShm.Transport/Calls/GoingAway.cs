using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Lets a server and its client agree that no more calls begin on a connection. The server says that it goes away, and
/// sends a ping afterwards. After the client has read this, it begins no calls. It answers the ping when each call that
/// it has begun before has sent its first message. When the answer has come, the server takes no calls.
/// </summary>
/// <remarks>
/// <code>
/// field         written by                                                      read by
/// _isUnderWay   a server: any thread; a client: the thread that receives        any thread
/// _takesNone    a server: any thread                                            any thread
/// _heldPing     a client: the thread that receives                              the same
/// </code>
/// The first two become true once, by an exchange: writes behind the exchange are seen behind it.
/// </remarks>
/// <param name="control">Sends the frames.</param>
/// <param name="pings">Gives the number of the ping that follows.</param>
internal sealed class GoingAway(ControlFrames control, Pings pings)
{
    private bool _isUnderWay;
    private bool _takesNone;

    // A ping whose answer has to wait.
    private ulong? _heldPing;

    /// <summary>Whether the server has said that it goes away: the client begins no more calls.</summary>
    public bool IsUnderWay => Volatile.Read(ref _isUnderWay);

    /// <summary>Whether the server takes no calls any more.</summary>
    public bool TakesNone => Volatile.Read(ref _takesNone);

    /// <summary>Says that the server goes away, once. On the server, any thread.</summary>
    public void Begin()
    {
        if (Interlocked.Exchange(ref _isUnderWay, true))
        {
            return;
        }

        FaultPoint.Reach(FaultStep.GoingAway);
        control.Send(FrameType.GoAway, 0);
        FaultPoint.Reach(FaultStep.GoneAway);
        control.Send(FrameType.Ping, pings.CreateFarewell());
    }

    /// <summary>Notes that the server takes no calls any more. On the server, any thread.</summary>
    public void TakeNone() => Interlocked.Exchange(ref _takesNone, true);

    /// <summary>Notes that the server goes away. On the client, by the thread that receives.</summary>
    /// <returns>Whether it has said so for the first time.</returns>
    public bool TryNote() => !Interlocked.Exchange(ref _isUnderWay, true);

    /// <summary>
    /// Answers the peer's ping at once. On a client that has been told of the going away,
    /// <see cref="AnswerHeldPing"/> answers later. By the thread that receives.
    /// </summary>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public void Answer(ulong number, bool isClient)
    {
        if (isClient && IsUnderWay)
        {
            // AnswerHeldPing runs once in this turn, however many pings come, since it has to look at each call.
            _heldPing = number;
            return;
        }

        control.Answer(number);
    }

    /// <summary>
    /// Answers a ping that came behind the going away, as soon as each call to which this client has given an id has
    /// sent its first message: the answer tells the server that no more calls come. By the thread that receives.
    /// </summary>
    /// <remarks>
    /// The going away is noted first. Then the table admits no call any more, under its lock, and only then this method
    /// looks, on the same thread. If a call has not begun, this method sees that under the call's gate. So the call
    /// sends later, sees the going away, and lets the thread that receives look again.
    /// </remarks>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public void AnswerHeldPing(CallConnection carrier, CallTable calls)
    {
        if (_heldPing is not { } number)
        {
            return;
        }

        for (var slot = 0; calls.TryLookAt(slot, out var call); slot++)
        {
            if (call is not null && call.IsYetToBegin(carrier))
            {
                return;
            }
        }

        _heldPing = null;
        control.Answer(number);
    }
}
