using System.Runtime.Versioning;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore;

/// <summary>How a server listens on shared-memory endpoints.</summary>
public sealed class SharedMemoryTransportOptions
{
    private const long LeastBufferedBytes = 1024 * 1024;

    /// <summary>
    /// Endpoints to listen on, besides those named by <c>ListenSharedMemory</c>: names or paths, for servers that are
    /// set up by configuration alone (<c>SharedMemory:Endpoints:0</c>).
    /// </summary>
    /// <value>Names (<c>orders</c>) or paths (<c>shm:///absolute/orders.sock</c>).</value>
    /// <remarks>Defaults to none.</remarks>
    public IList<string> Endpoints { get; } = [];

    /// <summary>
    /// The size in bytes of the ring in each direction, for clients that ask for no size. A connection takes twice this
    /// memory, at once and in full.
    /// </summary>
    /// <value>A power of two, 4 KiB to 64 MiB.</value>
    /// <remarks>Defaults to 256 KiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not a power of two from 4 KiB to 64 MiB.</exception>
    public int RingSize
    {
        get;
        set => field = RingSizes.Check(value, nameof(RingSize));
    } = RingSizes.Default;

    /// <summary>
    /// The largest ring in bytes that a client gets, also if it asks for more. A server whose <see cref="RingSize"/> is
    /// larger than this does not start.
    /// </summary>
    /// <value>A power of two, 4 KiB to 64 MiB.</value>
    /// <remarks>Defaults to 4 MiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not a power of two from 4 KiB to 64 MiB.</exception>
    public int MaxRingSize
    {
        get;
        set => field = RingSizes.Check(value, nameof(MaxRingSize));
    } = 4 * 1024 * 1024;

    /// <summary>How long a client may take for its handshake before it is cut off.</summary>
    /// <value>More than zero, up to 1 hour.</value>
    /// <remarks>Defaults to 5 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive, or is more than an hour.</exception>
    public TimeSpan HandshakeTimeout
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, nameof(HandshakeTimeout));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromHours(1), nameof(HandshakeTimeout));
            field = value;
        }
    } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a server that starts waits for another one to give an endpoint's name back before it fails with an
    /// <see cref="Microsoft.AspNetCore.Connections.AddressInUseException"/>. For a server that is started while its
    /// predecessor still serves: see <c>docs/how-to/replace-a-server.md</c>.
    /// </summary>
    /// <value>Zero to 1 day.</value>
    /// <remarks>Defaults to zero: it fails at once.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or is more than a day.</exception>
    public TimeSpan WaitForName
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, nameof(WaitForName));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1), nameof(WaitForName));
            field = value;
        }
    }

    /// <summary>
    /// How many handshakes an endpoint carries out at the same time. A client beyond this number is refused, and may
    /// try again.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 256.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int MaxPendingHandshakes
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxPendingHandshakes));
            field = value;
        }
    } = 256;

    /// <summary>
    /// Decides which clients may connect. Without this function only processes of the same user
    /// (<see cref="PeerIdentity.IsSameUser"/>) may. To admit other users, let them reach the endpoint, too: on Linux by
    /// the modes that <see cref="OnLinux"/> sets.
    /// </summary>
    /// <remarks>Defaults to <see langword="null"/>.</remarks>
    public Func<SharedMemoryPeer, bool>? AuthorizePeer { get; set; }

    /// <summary>
    /// The options that only Linux has. Code that is compiled for every system sets them by <see cref="OnLinux"/>,
    /// without a warning.
    /// </summary>
    /// <remarks>Defaults to the defaults of <see cref="LinuxRendezvousOptions"/>.</remarks>
    [SupportedOSPlatform("linux")]
    public LinuxRendezvousOptions Linux => LinuxRendezvous;

    /// <summary>
    /// The same options, for code that passes them on for every system: the code for the system uses them or not.
    /// </summary>
    internal LinuxRendezvousOptions LinuxRendezvous { get; } = new();

    /// <summary>The directory for names, instead of the user's run-time directory.</summary>
    /// <remarks>Defaults to <see langword="null"/>: see <c>docs/why/protocol.md</c>, "Names".</remarks>
    public string? RuntimeDirectory { get; set; }

    /// <summary>
    /// The number of bytes that a reader may leave unconsumed before its connection is ended. For connection middleware
    /// that reads by itself: Kestrel consumes what it reads.
    /// </summary>
    /// <value>64 KiB or more.</value>
    /// <remarks>Defaults to 16 MiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 64 KiB.</exception>
    public long MaxUnconsumedBytes
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 64 * 1024, nameof(MaxUnconsumedBytes));
            field = value;
        }
    } = 16 * 1024 * 1024;

    /// <summary>
    /// Whether Kestrel's HTTP/2 input loop may run on the thread that serves the rings. Turned off, it runs on the
    /// thread pool, which costs a thread switch for each batch of bytes.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="true"/>. Connection middleware that wraps the transport (TLS, logging) always runs on
    /// the thread pool.
    /// </remarks>
    public bool RunProtocolInline { get; set; } = true;

    /// <summary>
    /// The protocols that clients are offered: direct mode (calls framed straight into the rings, without HTTP/2),
    /// HTTP/2 over the rings, or both. An endpoint with TLS, or one that speaks HTTP/1.1, cannot offer direct mode:
    /// with <see cref="SharedMemoryMode.Auto"/> it offers HTTP/2, with <see cref="SharedMemoryMode.Direct"/> the server
    /// does not start.
    /// </summary>
    /// <remarks>Defaults to <see cref="SharedMemoryMode.Auto"/>: both.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public SharedMemoryMode Mode
    {
        get;
        set => field = Choices.Check(value, nameof(Mode));
    }

    /// <summary>Whether each frame in direct mode has a checksum, even if the client does not ask for it.</summary>
    /// <remarks>Defaults to <see langword="false"/>.</remarks>
    public bool UseChecksums { get; set; }

    /// <summary>
    /// Whether calls in direct mode reach gRPC services without an <c>HttpContext</c> for each call, where it is proved
    /// that nothing would have looked at it. Turned off, all calls take the full pipeline, also those of services with
    /// <c>WithNativeDispatch</c>.
    /// </summary>
    /// <remarks>Defaults to <see langword="true"/>.</remarks>
    public bool UseNativeDispatch { get; set; } = true;

    /// <summary>The threads on which the handlers of calls in direct mode run.</summary>
    /// <remarks>Defaults to <see cref="RunMode.Adaptive"/>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public RunMode RunMode
    {
        get;
        set => field = Choices.Check(value, nameof(RunMode));
    }

    /// <summary>
    /// How many calls in direct mode may be under way on one connection; fewer if
    /// <see cref="MaxBufferedBytesPerConnection"/> or <see cref="MaxBufferedBytes"/> has no room for so many. The
    /// server tells its clients this number. With more calls they wait, or make another connection.
    /// </summary>
    /// <value>1 to 65,536.</value>
    /// <remarks>Defaults to 1,024.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not in 1 … 65,536.</exception>
    public int MaxCallsPerConnection
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxCallsPerConnection));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1 << 16, nameof(MaxCallsPerConnection));
            field = value;
        }
    } = 1024;

    /// <summary>
    /// The limit of calls that clients are told: no more calls than the memory for them suffices for, since the others
    /// would be refused again and again.
    /// </summary>
    internal int MostCalls => (int)Math.Min(
        MaxCallsPerConnection,
        (BufferedBytesOfAConnection - SharedBudget.LimitOfGrowth(BufferedBytesOfAConnection))
            / CallSettings.FirstWindow);

    /// <summary>The lower of the two bounds of what the calls of one connection may hold.</summary>
    internal long BufferedBytesOfAConnection => Math.Min(MaxBufferedBytesPerConnection, MaxBufferedBytes);

    /// <summary>
    /// The number of bytes of requests that all calls of one connection in direct mode together may hold, or may let
    /// their clients send. Each call takes 68 KiB of it; if nothing is left for a call, it is refused and may be tried
    /// again. Five eighths are kept for that. The rest goes to calls that receive more, in order, as far as it
    /// suffices. One call of a connection may go beyond the limit, so that messages larger than this get through, one
    /// after the other.
    /// </summary>
    /// <value>1 MiB or more.</value>
    /// <remarks>Defaults to 128 MiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 MiB.</exception>
    public long MaxBufferedBytesPerConnection
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(
                value, LeastBufferedBytes, nameof(MaxBufferedBytesPerConnection));
            field = value;
        }
    } = 128L * 1024 * 1024;

    /// <summary>
    /// The number of bytes of requests that the calls of all connections of an endpoint together may hold, or may let
    /// their clients send, counted as for <see cref="MaxBufferedBytesPerConnection"/>. One call of each connection may
    /// go beyond the limit. If this is less than the default of <see cref="MaxBufferedBytesPerConnection"/>, it is the
    /// limit of one connection, too. A server does not start if <see cref="MaxBufferedBytesPerConnection"/> has been
    /// set to more than this.
    /// </summary>
    /// <value>1 MiB or more.</value>
    /// <remarks>Defaults to 1 GiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 MiB.</exception>
    public long MaxBufferedBytes
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, LeastBufferedBytes, nameof(MaxBufferedBytes));
            field = value;
        }
    } = 1024L * 1024 * 1024;

    /// <summary>
    /// The number of bytes that the reader of a call in direct mode may leave unconsumed and still wait for more. So
    /// this is the largest message, with the five bytes before it, also if gRPC's own <c>MaxReceiveMessageSize</c>
    /// allows more. If a reader wants more, its call ends with <c>ResourceExhausted</c>.
    /// </summary>
    /// <value>1 MiB or more.</value>
    /// <remarks>Defaults to 256 MiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 MiB.</exception>
    public long MaxUnconsumedBytesPerCall
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, LeastBufferedBytes, nameof(MaxUnconsumedBytesPerCall));
            field = value;
        }
    } = 256L * 1024 * 1024;

    /// <summary>Sets the options that only Linux has. On other systems this does nothing.</summary>
    /// <param name="configure">Sets the options.</param>
    public void OnLinux(Action<LinuxRendezvousOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        if (OperatingSystem.IsLinux())
        {
            configure(Linux);
        }
    }
}
