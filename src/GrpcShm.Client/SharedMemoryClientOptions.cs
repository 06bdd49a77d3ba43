using System.Diagnostics.Metrics;
using GrpcShm.Transport;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client;

/// <summary>How a client connects to a shared-memory endpoint.</summary>
public sealed class SharedMemoryClientOptions
{
    /// <summary>How long one attempt to connect, with its handshake, may take.</summary>
    /// <remarks>Defaults to 5 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive, or is more than an hour.</exception>
    public TimeSpan ConnectTimeout
    {
        get;
        set => field = CheckTime(value, TimeSpan.FromMilliseconds(1), nameof(ConnectTimeout));
    } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long to go on trying while no server listens on the endpoint: so long a client may start before its server,
    /// and calls wait while a server restarts. A server that refuses the connection is not tried again.
    /// </summary>
    /// <remarks>
    /// Defaults to zero: with no server there, a call fails at once with <c>Unavailable</c>, as over a socket.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or is more than an hour.</exception>
    public TimeSpan WaitForServer
    {
        get;
        set => field = CheckTime(value, TimeSpan.Zero, nameof(WaitForServer));
    }

    /// <summary>
    /// The size in bytes of the ring in each direction, a power of two from 4 KiB to 64 MiB, or <see langword="null"/>
    /// for what the server gives by default. The server may give less than asked.
    /// </summary>
    /// <remarks>Defaults to <see langword="null"/>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not a power of two in that range.</exception>
    public int? RingSize
    {
        get;
        set => field = value is null ? null : RingSizes.Check(value.Value, nameof(RingSize));
    }

    /// <summary>
    /// The directory in which names are looked up, instead of the user's run-time directory. Does not matter for an
    /// endpoint that is a path.
    /// </summary>
    /// <remarks>Defaults to <see langword="null"/>: see <c>docs/protocol.md</c>, "Names".</remarks>
    public string? RuntimeDirectory { get; set; }

    /// <summary>
    /// Decides whether to trust the server that listens on the endpoint. Without it only a server of the same user
    /// (<see cref="PeerIdentity.IsSameUser"/>), or of a privileged one (<see cref="PeerIdentity.IsPrivileged"/>), is
    /// trusted.
    /// </summary>
    /// <remarks>Defaults to <see langword="null"/>.</remarks>
    public Func<SharedMemoryPeer, bool>? AuthorizeServer { get; set; }

    /// <summary>
    /// What goes through the rings: direct mode, or HTTP/2. Callers notice no difference but the speed. What is
    /// connected by a <see cref="SharedMemoryConnectionFactory"/> is always HTTP/2.
    /// </summary>
    /// <remarks>
    /// Defaults to <see cref="SharedMemoryMode.Auto"/>: direct mode if the server offers it, else HTTP/2. Direct mode
    /// carries gRPC alone: all other requests, and addresses with <c>https</c>, go over HTTP/2 by themselves; with
    /// <see cref="SharedMemoryMode.Direct"/> they are an error. In the other two modes a handler for
    /// <see cref="HttpClient"/> behaves alike: see <c>docs/direct-mode.md</c>.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public SharedMemoryMode Mode
    {
        get;
        set => field = Choices.Check(value, nameof(Mode));
    }

    /// <summary>
    /// Whether each frame has a checksum, so that corrupted memory is found. In direct mode; the server may ask for it,
    /// too.
    /// </summary>
    /// <remarks>Defaults to <see langword="false"/>.</remarks>
    public bool UseChecksums { get; set; }

    /// <summary>Where the continuations of calls run, in direct mode.</summary>
    /// <remarks>Defaults to <see cref="GrpcShm.Transport.RunMode.Adaptive"/>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public RunMode RunMode
    {
        get;
        set => field = Choices.Check(value, nameof(RunMode));
    }

    /// <summary>
    /// After how long a silence, with calls under way, to ask the server for a sign of life. That a server's process
    /// has ended is noticed at once and without this; it is for one that is stopped or that hangs.
    /// </summary>
    /// <remarks>Defaults to <see cref="Timeout.InfiniteTimeSpan"/>: never.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than a second, or is more than a
    /// day.</exception>
    public TimeSpan KeepAlivePingDelay
    {
        get;
        set => field = CheckPing(value, nameof(KeepAlivePingDelay));
    } = Timeout.InfiniteTimeSpan;

    /// <summary>How long to wait for that sign of life before the connection is ended, and its calls with it.</summary>
    /// <remarks>Defaults to 20 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than a second, or is more than a
    /// day.</exception>
    public TimeSpan KeepAlivePingTimeout
    {
        get;
        set => field = CheckPing(value, nameof(KeepAlivePingTimeout));
    } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Whether another connection is made while all that there are have as many calls as the server takes. If not,
    /// calls wait in order until others end.
    /// </summary>
    /// <remarks>Defaults to <see langword="true"/>.</remarks>
    public bool EnableMultipleConnections { get; set; } = true;

    /// <summary>
    /// How long a connection may be without calls before it is closed, at the latest after twice that time. The next
    /// call makes another one. <see cref="Timeout.InfiniteTimeSpan"/> keeps connections until the channel is disposed,
    /// or forgotten.
    /// </summary>
    /// <remarks>Defaults to 1 minute.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than a millisecond, or is more than a
    /// day.</exception>
    public TimeSpan IdleTimeout
    {
        get;
        set
        {
            if (value != Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1), nameof(IdleTimeout));
                ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1), nameof(IdleTimeout));
            }

            field = value;
        }
    } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The last word on a handler that carries HTTP/2 over the rings: TLS options, limits, redirects, cookies,
    /// decompression. Has no effect on calls in direct mode. Beside those, a channel may have up to four such handlers:
    /// it is called for each.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: redirects are not followed, cookies are not kept, and nothing is
    /// decompressed, whatever carries the request.
    /// </remarks>
    public Action<SocketsHttpHandler>? ConfigureHandler { get; set; }

    /// <summary>Where the connections log.</summary>
    /// <remarks>Defaults to <see langword="null"/>: with dependency injection the host's, else nowhere.</remarks>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>
    /// Where the meters <c>GrpcShm.Transport</c> and <c>System.Net.Http</c> are made.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: with dependency injection the host's, else a meter of the process.
    /// </remarks>
    public IMeterFactory? MeterFactory { get; set; }

    private static TimeSpan CheckPing(TimeSpan value, string name)
    {
        if (value != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(1), name);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1), name);
        }

        return value;
    }

    private static TimeSpan CheckTime(TimeSpan value, TimeSpan least, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromHours(1), name);
        return value;
    }
}
