using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>A lane, from its introduction to its end. It stands once at most.</summary>
/// <param name="introduction">What the hub said of it.</param>
/// <param name="session">The session with this hub.</param>
internal sealed class ClientLane(LaneIntroduction introduction, SessionLink session)
{
    private const int Waiting = 0;
    private const int Greeting = 1;
    private const int Over = 2;

    private readonly Lock _lock = new();
    private readonly List<Credit> _earlyCredits = [];
    private int _state;
    private LaneLink? _link;

    public ulong Id => introduction.Lane;

    public ReadOnlySpan<byte> Token => introduction.Token.Span;

    /// <summary>Where to connect; empty if the other process does.</summary>
    public string Address => introduction.Address;

    /// <summary>True if this process connects, and ends the lane when nobody uses it.</summary>
    public bool IsConnector => Address.Length > 0;

    public SessionLink Session => session;

    /// <summary>The events of this process on it.</summary>
    public LaneOutbox Outbox { get; } = new(introduction.Lane);

    /// <summary>The connection; none before it stands.</summary>
    public LaneLink? Link => Volatile.Read(ref _link);

    /// <summary>Lets the lane stand.</summary>
    public void Stand(LaneLink link)
    {
        lock (_lock)
        {
            Volatile.Write(ref _link, link);
        }

        // Nobody adds to them any more.
        _earlyCredits.ForEach(link.GiveCredit);
    }

    /// <summary>
    /// Gives the other side room. A fence may be faster than the thread that lets the lane stand at this side.
    /// </summary>
    public void GiveCredit(Credit credit)
    {
        LaneLink? link;
        lock (_lock)
        {
            link = _link;
            if (link is null)
            {
                _earlyCredits.Add(credit);
            }
        }

        link?.GiveCredit(credit);
    }

    /// <summary>True if the lane has stood.</summary>
    public bool HasStood => Link is not null;

    public bool IsOver => Volatile.Read(ref _state) == Over;

    /// <summary>Says whether a connection is the first one. No other one is let in after it.</summary>
    public bool TryGreet() => Interlocked.CompareExchange(ref _state, Greeting, Waiting) == Waiting;

    /// <summary>Ends it. True for the first caller, who tells all others.</summary>
    public bool TryEnd() => Interlocked.Exchange(ref _state, Over) != Over;
}
