using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Compression;
using GrpcShm.Messages;

namespace GrpcShm.AspNetCore.Native;

/// <summary>
/// The options of <c>AddGrpc</c> for one service: its own, and where it has none, those of all services. What is set
/// twice counts as in grpc-dotnet. Any thread.
/// </summary>
internal sealed class ServiceSettings
{
    private static readonly HashSet<string> KnownOptions =
    [
        nameof(GrpcServiceOptions.MaxSendMessageSize),
        "MaxSendMessageSizeSpecified",
        nameof(GrpcServiceOptions.MaxReceiveMessageSize),
        "MaxReceiveMessageSizeSpecified",
        nameof(GrpcServiceOptions.EnableDetailedErrors),
        nameof(GrpcServiceOptions.ResponseCompressionAlgorithm),
        nameof(GrpcServiceOptions.ResponseCompressionLevel),
        nameof(GrpcServiceOptions.CompressionProviders),
        nameof(GrpcServiceOptions.IgnoreUnknownServices),
        nameof(GrpcServiceOptions.Interceptors),
        "SuppressCreatingService",
    ];

    /// <param name="common">The options of all services.</param>
    /// <param name="own">The options of this service.</param>
    /// <exception cref="InvalidOperationException">There is no provider for the compression of responses.</exception>
    public ServiceSettings(GrpcServiceOptions common, GrpcServiceOptions own)
    {
        MaxReceived = Choose(
            Find(own, "MaxReceiveMessageSizeSpecified"), own.MaxReceiveMessageSize, common.MaxReceiveMessageSize);
        MaxSent = Choose(
            Find(own, "MaxSendMessageSizeSpecified"), own.MaxSendMessageSize, common.MaxSendMessageSize);
        HasDetailedErrors = own.EnableDetailedErrors ?? common.EnableDetailedErrors ?? false;
        ResponseEncoding = own.ResponseCompressionAlgorithm ?? common.ResponseCompressionAlgorithm;
        ResponseLevel = own.ResponseCompressionLevel ?? common.ResponseCompressionLevel;
        IsServiceSuppressed = Find(own, "SuppressCreatingService") == true;
        Compression = new RequestCompression([.. own.CompressionProviders, .. common.CompressionProviders]);
        Interceptors = [.. common.Interceptors, .. own.Interceptors];
        if (ResponseEncoding is { } encoding && Compression.Find(encoding) is null)
        {
            throw new InvalidOperationException(
                $"The configured response compression algorithm '{encoding}' does not have a matching compression "
                + "provider.");
        }
    }

    /// <summary>
    /// The options of a later grpc-dotnet that this class does not read. Native calls would not keep them.
    /// </summary>
    public static IReadOnlyList<string> UnknownOptions { get; } =
        [.. typeof(GrpcServiceOptions).GetProperties().Select(static option => option.Name).Except(KnownOptions)];

    /// <summary>The largest message that is taken, in bytes; nothing for any size.</summary>
    public int? MaxReceived { get; }

    /// <summary>The largest message that is sent, in bytes; nothing for any size.</summary>
    public int? MaxSent { get; }

    /// <summary>True if clients are told of the exceptions of handlers.</summary>
    public bool HasDetailedErrors { get; }

    /// <summary>The encoding of the messages that are sent; nothing if they go as they are.</summary>
    public string? ResponseEncoding { get; }

    /// <summary>The level of that compression; nothing for the provider's own.</summary>
    public CompressionLevel? ResponseLevel { get; }

    /// <summary>True if interceptors alone serve the calls, so that no service is made.</summary>
    public bool IsServiceSuppressed { get; }

    /// <summary>The providers of both directions.</summary>
    public CompressionProviders Compression { get; }

    /// <summary>The interceptors, the first to run first.</summary>
    public IReadOnlyList<InterceptorRegistration> Interceptors { get; }

    /// <summary>True if gRPC has given a handler the same settings.</summary>
    /// <param name="options">What the handler holds, of a type that gRPC keeps to itself.</param>
    public bool AreThoseOf(object options) =>
        Read(options, nameof(GrpcServiceOptions.Interceptors)) is IEnumerable<InterceptorRegistration> interceptors
        && interceptors.SequenceEqual(Interceptors, ReferenceEqualityComparer.Instance)
        && Equals(Read(options, nameof(GrpcServiceOptions.MaxReceiveMessageSize)), MaxReceived)
        && Equals(Read(options, nameof(GrpcServiceOptions.MaxSendMessageSize)), MaxSent)
        && Equals(Read(options, nameof(GrpcServiceOptions.EnableDetailedErrors)) ?? false, HasDetailedErrors)
        && Equals(Read(options, nameof(GrpcServiceOptions.ResponseCompressionAlgorithm)), ResponseEncoding)
        && Equals(Read(options, nameof(GrpcServiceOptions.ResponseCompressionLevel)), ResponseLevel);

    /// <summary>
    /// Reads a setting of a handler; the object itself, which no setting is equal to, if it has none of the name.
    /// </summary>
    [UnconditionalSuppressMessage(
        "Trimming", "IL2075", Justification = "Where the property was trimmed, the call takes the full pipeline.")]
    private static object? Read(object options, string name) =>
        options.GetType().GetProperty(name) is { } property ? property.GetValue(options) : options;

    /// <summary>Chooses a limit.</summary>
    /// <remarks>
    /// Early versions of grpc-dotnet do not say whether a service has a limit of its own. Where one was taken away
    /// with those, this chooses the common one, and <see cref="AreThoseOf"/> finds that the handler has another.
    /// </remarks>
    private static int? Choose(bool? isOwnSet, int? own, int? common) =>
        isOwnSet switch
        {
            true => own,
            false => common,
            null => own ?? common,
        };

    /// <summary>Reads an option that early versions of grpc-dotnet do not have; nothing with those.</summary>
    private static bool? Find(GrpcServiceOptions options, string name) =>
        (bool?)typeof(GrpcServiceOptions).GetProperty(name)?.GetValue(options);

    /// <summary>The providers, with the words of grpc-dotnet's server for a message that cannot be read.</summary>
    private sealed class RequestCompression(IEnumerable<ICompressionProvider> providers)
        : CompressionProviders(providers)
    {
        public override Exception CreateOversized(uint length) => new IOException($"Message too large: {length}");

        protected override string OfMissing() =>
            throw new RpcException(new Status(
                StatusCode.Internal, "Request did not include grpc-encoding value with compressed message."));
    }
}
