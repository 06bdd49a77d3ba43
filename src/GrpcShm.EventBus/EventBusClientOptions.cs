using System.Diagnostics.Metrics;
using GrpcShm.EventBus.Lanes;
using Microsoft.Extensions.Logging;
using Polly;

namespace GrpcShm.EventBus;

/// <summary>How an <see cref="EventClient"/> connects, sends and encodes.</summary>
public sealed class EventBusClientOptions : PayloadOptions
{
    /// <summary>The name that the client gives itself, for people to read in lists and logs.</summary>
    /// <remarks>Defaults to the process's name.</remarks>
    public string Name { get; set; } = AppDomain.CurrentDomain.FriendlyName;

    /// <summary>How long <see cref="EventClient.ConnectAsync"/> tries to connect.</summary>
    /// <value>1 ms to 1 day.</value>
    /// <remarks>Defaults to 30 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 ms or more than a day.</exception>
    public TimeSpan ConnectTimeout
    {
        get;
        set => field = Check(value, nameof(ConnectTimeout));
    } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a send waits for an acknowledgement that comes later than <c>Accepted</c>, or for a reply.
    /// </summary>
    /// <value>1 ms to 1 day.</value>
    /// <remarks>Defaults to 30 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 ms or more than a day.</exception>
    public TimeSpan AcknowledgementTimeout
    {
        get;
        set => field = Check(value, nameof(AcknowledgementTimeout));
    } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many sends may wait for their answer. One more fails at once with <c>ResourceExhausted</c>.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 65,536. Sends wait here, too, while the connection is lost.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxPendingSends
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 65_536;

    /// <summary>
    /// How many events may be on their way from the hub to the handler of one machine, and how many events from
    /// machines of this client may wait for that handler. Further events wait at the hub, where the policy of the
    /// machine's mailbox applies.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 1,024.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int ReceiveWindow
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 1024;

    /// <summary>
    /// Whether events between machines of this client stay in the process. Observers of other processes (copies of a
    /// machine's events, patterns, everything) do not see these events then; observers of this client do.
    /// </summary>
    /// <remarks>Defaults to <see langword="true"/>.</remarks>
    public bool DeliverLocally { get; set; } = true;

    /// <summary>
    /// Runs the attempts to connect, the first one and later ones. So it decides when the client tries again.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: retries for ever, at first after 50 ms, then after twice as long each time
    /// up to 5 s, with jitter; and a circuit breaker that opens for 2 s when at least half of four or more attempts in
    /// 30 s failed. While the breaker is open, the client waits, and after a lost connection sends to other processes
    /// fail at once with <c>Unavailable</c>. Until the first connection sends wait, whatever the breaker says. The
    /// attempts end when the hub refuses with <c>Unimplemented</c>, <c>Unauthenticated</c>, <c>PermissionDenied</c> or
    /// <c>InvalidArgument</c>. A session that ends within a second of its opening counts as an attempt that failed if
    /// the session before it ended so, too. A pipeline of your own decides alone. When the attempts end, the client is
    /// disconnected; a client that <c>AddEventBusClient</c> makes begins again with its first use after 5 s.
    /// </remarks>
    public ResiliencePipeline? ConnectPipeline { get; set; }

    /// <summary>
    /// Runs the sends that wait for an acknowledgement later than <c>Accepted</c>, and the requests. So it decides when
    /// they are tried again.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: up to three retries after 50, 100 and 200 ms, with jitter, where the event
    /// was surely not delivered (<c>NotFound</c>, <c>ResourceExhausted</c>), and is not too large for the hub. Use
    /// <see cref="ResiliencePipeline.Empty"/> for none. Sends that end when they are accepted are never repeated after
    /// an answer of the hub: they would arrive after the events that were sent behind them. Events that a broken
    /// connection left unanswered are sent again, in order, and the receiver recognizes those that it has had already.
    /// </remarks>
    public ResiliencePipeline? SendPipeline { get; set; }

    /// <summary>Where the client logs.</summary>
    /// <remarks>Defaults to <see langword="null"/>: nowhere.</remarks>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>Makes the client's meter.</summary>
    /// <remarks>Defaults to <see langword="null"/>: a meter of the process.</remarks>
    public IMeterFactory? MeterFactory { get; set; }

    /// <summary>
    /// Whether metrics name the machine that an event is for (<c>messaging.destination.name</c>). Turn it on only if
    /// the metrics system can take a series for each machine.
    /// </summary>
    /// <remarks>Defaults to <see langword="false"/>.</remarks>
    public bool MeasureDestinations { get; set; }

    /// <summary>
    /// How this client connects to other clients of the same hub directly, for machines that send each other many
    /// events: over a lane, past the hub. The hub decides who may; it goes on carrying all other events.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: all events go by the hub. A lane changes neither the order of events nor
    /// what the client promises of them.
    /// </remarks>
    public EventLaneTransport? Lanes { get; set; }

    // When the client asks for lanes, and when it gives them up.
    internal LaneTimes LaneTimes { get; set; } = new();

    // A session that ends within this time after it was opened has been of no use. If it ends so again, it counts as an
    // attempt to connect that has failed.
    internal TimeSpan ShortSession { get; set; } = TimeSpan.FromSeconds(1);

    // How long a client that connects by itself refuses its uses after a refusal of the hub that is final. A program
    // whose sends all fail must not ask the hub with each of them.
    internal TimeSpan PauseAfterRefusal { get; set; } = TimeSpan.FromSeconds(5);

    // How long the hub may take to answer earlier sends while a caller waits for the end of the link.
    internal TimeSpan ClosingTime { get; set; } = TimeSpan.FromSeconds(5);

    // The same, while the thread of the caller is held.
    internal TimeSpan BlockingClosingTime { get; set; } = TimeSpan.FromSeconds(2);

    private static TimeSpan Check(TimeSpan value, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1), name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1), name);
        return value;
    }
}
