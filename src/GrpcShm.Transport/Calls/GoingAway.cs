using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// How a server and its client come to agree that no more calls begin on a connection. The server says that it goes
/// away, and sends a ping behind. The client begins no calls after it has read of that, and answers the ping when each
/// call that it has begun before has sent its first message. When the answer has come, the server takes no calls.
/// </summary>
/// <remarks>
/// <code>
/// field         written by                                                      read by
/// _isUnderWay   a server: whoever asks it to go away; a client: who receives    any thread
/// _takesNone    a server: whoever asks for that, and who receives               any thread
/// _heldPing     a client: who receives                                          the same
/// </code>
/// The first two become true once, by an exchange: what is done after one of them is seen after it.
/// </remarks>
/// <param name="control">Sends what is to be said.</param>
/// <param name="pings">Gives the ping that follows its number.</param>
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
    /// Answers the peer's ping: at once, but on a client that has been told of the going away by
    /// <see cref="AnswerHeldPing"/>. By the thread that receives.
    /// </summary>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public void Answer(ulong number, bool isClient)
    {
        if (isClient && IsUnderWay)
        {
            // Looked at once in this turn, however many of them come: that takes a look at each call.
            _heldPing = number;
            return;
        }

        control.Answer(number);
    }

    /// <summary>
    /// Answers a ping that came behind the going away, when each call that this client has given an id has sent its
    /// first message: the server takes the answer as the word that there are no more of them. By the thread that
    /// receives.
    /// </summary>
    /// <remarks>
    /// No call is added after the going away was noted, which is under the table's lock. One that has not begun is seen
    /// so here under its gate, hence sends later, sees the going away, and has the thread that receives look again.
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
