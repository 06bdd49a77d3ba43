using System.Diagnostics.Metrics;
using GrpcShm.Transport;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client;

/// <summary>How a client connects to a shared-memory endpoint.</summary>
public sealed class SharedMemoryClientOptions
{
    /// <summary>How long one attempt to connect, with its handshake, may take.</summary>
    /// <value>1 ms to 1 hour.</value>
    /// <remarks>Defaults to 5 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 ms or more than an hour.</exception>
    public TimeSpan ConnectTimeout
    {
        get;
        set => field = CheckTime(value, TimeSpan.FromMilliseconds(1), nameof(ConnectTimeout));
    } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long to go on trying while no server listens on the endpoint. So a client may start before its server, and
    /// calls wait while a server restarts. If a server refuses the connection, the client does not try again. A call
    /// that is made with <c>WithWaitForReady()</c> waits until its deadline, whatever this time is.
    /// </summary>
    /// <value>Zero to 1 hour.</value>
    /// <remarks>
    /// Defaults to zero: if no server listens, a call fails at once with <c>Unavailable</c>, as over a socket.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or is more than an hour.</exception>
    public TimeSpan WaitForServer
    {
        get;
        set => field = CheckTime(value, TimeSpan.Zero, nameof(WaitForServer));
    }

    /// <summary>
    /// The size in bytes of the ring in each direction, or <see langword="null"/> for the server's default. The server
    /// may give a smaller ring than the client asks for.
    /// </summary>
    /// <value>A power of two, 4 KiB to 64 MiB; or <see langword="null"/>.</value>
    /// <remarks>Defaults to <see langword="null"/>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not a power of two from 4 KiB to 64 MiB.</exception>
    public int? RingSize
    {
        get;
        set => field = value is null ? null : RingSizes.Check(value.Value, nameof(RingSize));
    }

    /// <summary>
    /// The directory in which names are looked up, instead of the user's run-time directory. Not used for an endpoint
    /// that is a path.
    /// </summary>
    /// <remarks>Defaults to <see langword="null"/>: see <c>docs/why/protocol.md</c>, "Names".</remarks>
    /// <exception cref="ArgumentException">The value is empty.</exception>
    public string? RuntimeDirectory
    {
        get;
        set => field = value is null || !string.IsNullOrWhiteSpace(value)
            ? value
            : throw new ArgumentException(
                $"{nameof(RuntimeDirectory)} is empty. Name a directory, or leave it unset for the user's own.",
                nameof(RuntimeDirectory));
    }

    /// <summary>
    /// Decides whether to trust the server that listens on the endpoint. Without this function the client trusts only a
    /// server of the same user (<see cref="PeerIdentity.IsSameUser"/>) or of a privileged user
    /// (<see cref="PeerIdentity.IsPrivileged"/>).
    /// </summary>
    /// <remarks>Defaults to <see langword="null"/>.</remarks>
    public Func<SharedMemoryPeer, bool>? AuthorizeServer { get; set; }

    /// <summary>
    /// The protocol in the rings: direct mode, or HTTP/2. Callers notice no difference but the speed. A connection of a
    /// <see cref="SharedMemoryConnectionFactory"/> always has HTTP/2.
    /// </summary>
    /// <remarks>
    /// Defaults to <see cref="SharedMemoryMode.Auto"/>: direct mode if the server offers it, else HTTP/2. Direct mode
    /// carries gRPC alone: all other requests, and addresses with <c>https</c>, go over HTTP/2 without further
    /// settings; with <see cref="SharedMemoryMode.Direct"/> they fail. In the other two modes a handler for
    /// <see cref="HttpClient"/> behaves in the same way: see <c>docs/why/direct-mode.md</c>.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public SharedMemoryMode Mode
    {
        get;
        set => field = Choices.Check(value, nameof(Mode));
    }

    /// <summary>
    /// Whether each frame has a checksum, so that corrupted memory is noticed. In direct mode alone, so a client whose
    /// <see cref="Mode"/> is <see cref="SharedMemoryMode.Http2"/> refuses it. The server may ask for checksums, too.
    /// </summary>
    /// <remarks>Defaults to <see langword="false"/>.</remarks>
    public bool UseChecksums { get; set; }

    /// <summary>The threads on which the continuations of calls run, in direct mode.</summary>
    /// <remarks>Defaults to <see cref="GrpcShm.Transport.RunMode.Adaptive"/>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public RunMode RunMode
    {
        get;
        set => field = Choices.Check(value, nameof(RunMode));
    }

    /// <summary>
    /// How long the server may send nothing while calls are under way. Then the client asks it for a sign of life (a
    /// ping). This is for a server that is stopped or that hangs. The client notices the end of the server's process at
    /// once, without a ping.
    /// </summary>
    /// <value>1 second to 1 day, or <see cref="Timeout.InfiniteTimeSpan"/>.</value>
    /// <remarks>Defaults to <see cref="Timeout.InfiniteTimeSpan"/>: never.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than a second, or is more than a
    /// day.</exception>
    public TimeSpan KeepAlivePingDelay
    {
        get;
        set => field = CheckPing(value, nameof(KeepAlivePingDelay));
    } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// How long the server may take to answer the ping of <see cref="KeepAlivePingDelay"/>. Then the connection is
    /// ended, and its calls with it.
    /// </summary>
    /// <value>1 second to 1 day, or <see cref="Timeout.InfiniteTimeSpan"/>.</value>
    /// <remarks>Defaults to 20 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than a second, or is more than a
    /// day.</exception>
    public TimeSpan KeepAlivePingTimeout
    {
        get;
        set => field = CheckPing(value, nameof(KeepAlivePingTimeout));
    } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Whether to make another connection when every connection has as many calls as the server takes. If not, calls
    /// wait in order until others end.
    /// </summary>
    /// <remarks>Defaults to <see langword="true"/>.</remarks>
    public bool EnableMultipleConnections { get; set; } = true;

    /// <summary>
    /// How long a connection stays open without calls. It is closed after twice that time at the latest. The next call
    /// makes another connection. <see cref="Timeout.InfiniteTimeSpan"/> keeps connections until the channel is
    /// disposed, or collected as garbage.
    /// </summary>
    /// <value>1 ms to 1 day, or <see cref="Timeout.InfiniteTimeSpan"/>.</value>
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
    /// Configures a handler that carries HTTP/2 over the rings, as the last step: TLS options, limits, redirects,
    /// cookies, decompression. Has no effect on calls in direct mode. A channel may have up to four such handlers; the
    /// function is called for each. A client whose <see cref="Mode"/> is <see cref="SharedMemoryMode.Direct"/> has no
    /// such handler, and refuses the function.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: redirects are not followed, cookies are not kept, and nothing is
    /// decompressed, neither in direct mode nor over HTTP/2.
    /// </remarks>
    public Action<SocketsHttpHandler>? ConfigureHandler { get; set; }

    /// <summary>Makes the loggers of the connections.</summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: with dependency injection the host's factory is used, else nothing is
    /// logged.
    /// </remarks>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>
    /// Makes the meters <c>GrpcShm.Transport</c> and <c>System.Net.Http</c>.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: with dependency injection the host's factory is used, else the meters are
    /// those of the process.
    /// </remarks>
    public IMeterFactory? MeterFactory { get; set; }

    /// <summary>Refuses options that contradict each other. When a client is made.</summary>
    /// <exception cref="ArgumentException">Two options contradict each other; the message says which.</exception>
    internal void Check()
    {
        if (Mode == SharedMemoryMode.Http2 && UseChecksums)
        {
            throw new ArgumentException(
                $"{nameof(UseChecksums)} is set, but {nameof(Mode)} is {Mode}, which has no checksums. Set "
                + $"{nameof(Mode)} to {SharedMemoryMode.Auto} or {SharedMemoryMode.Direct}, or leave "
                + $"{nameof(UseChecksums)} unset.");
        }

        if (Mode == SharedMemoryMode.Direct && ConfigureHandler is not null)
        {
            throw new ArgumentException(
                $"{nameof(ConfigureHandler)} is set, but {nameof(Mode)} is {Mode}, which has no handler to configure. "
                + $"Set {nameof(Mode)} to {SharedMemoryMode.Auto} or {SharedMemoryMode.Http2}, or leave "
                + $"{nameof(ConfigureHandler)} unset.");
        }
    }

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
