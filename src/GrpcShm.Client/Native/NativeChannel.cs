using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using GrpcShm.Client.Direct;
using GrpcShm.Messages;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client.Native;

/// <summary>What the calls of one channel have in common. Any thread.</summary>
internal sealed class NativeChannel : IDisposable
{
    private const int MaxMethods = 1024;

    private readonly ConcurrentDictionary<object, object> _methods = new(ReferenceEqualityComparer.Instance);
    private readonly RunProfileTable _profiles;
    private readonly NativeListeners _listeners;
    private readonly Func<CallInvoker> _createFallback;
    private readonly bool _hasCredentials;
    private readonly List<MethodName> _retried = [];
    private readonly Uri _address;
    private volatile bool _isDisposed;

    /// <param name="connections">Carry the calls.</param>
    /// <param name="createFallback">
    /// Gives what makes the calls that are not framed here, over the same connections.
    /// </param>
    /// <param name="address">The address of all calls.</param>
    /// <param name="options">The options of both.</param>
    /// <param name="requestLoggers">Write a line of the level Information for each HTTP request.</param>
    public NativeChannel(
        ClientConnections connections,
        Func<CallInvoker> createFallback,
        Uri address,
        GrpcChannelOptions options,
        params ILogger[] requestLoggers)
    {
        Connections = connections;
        _createFallback = createFallback;
        _address = address;
        _profiles = new RunProfileTable(connections.Options.RunMode);
        var loggers = options.LoggerFactory ?? options.ServiceProvider?.GetService<ILoggerFactory>();
        Loggers = loggers is null ? null : new CallLoggers(loggers);
        _listeners = new NativeListeners(connections.Diagnostics, Loggers, requestLoggers);
        MaxSendMessageSize = options.MaxSendMessageSize;
        MaxReceiveMessageSize = options.MaxReceiveMessageSize;
        ThrowsOperationCanceled = options.ThrowOperationCanceledOnCancellation;
        Compression = new CompressionProviders(options.CompressionProviders);

        // Credentials add to each call what only grpc-dotnet can ask them for.
        _hasCredentials = options.Credentials is not null && options.Credentials != ChannelCredentials.Insecure;
        foreach (var method in options.ServiceConfig?.MethodConfigs ?? [])
        {
            if (method.RetryPolicy is not null || method.HedgingPolicy is not null)
            {
                _retried.AddRange(method.Names);
            }
        }

        Carriers = new ClientCallPool(call => new NativeExchange(call, this));
    }

    /// <summary>The value of the header <c>user-agent</c>.</summary>
    public static string UserAgent { get; } = CreateUserAgent();

    public ClientConnections Connections { get; }

    /// <summary>Makes the calls that are not framed here.</summary>
    public CallInvoker Fallback => _createFallback();

    public ClientCallPool Carriers { get; }

    public CallCancellations Cancellations { get; } = new();

    /// <summary>Get the lines of calls; nothing if there are no loggers.</summary>
    public CallLoggers? Loggers { get; }

    public CompressionProviders Compression { get; }

    public TimeoutTexts Timeouts { get; } = new();

    /// <summary>The largest request message in bytes; nothing for any size.</summary>
    public int? MaxSendMessageSize { get; }

    /// <summary>The largest response message in bytes; nothing for any size.</summary>
    public int? MaxReceiveMessageSize { get; }

    /// <summary>
    /// True if a caller that gives its call up gets an <see cref="OperationCanceledException"/>.
    /// </summary>
    public bool ThrowsOperationCanceled { get; }

    /// <summary>True once the channel was disposed.</summary>
    public bool IsDisposed => _isDisposed;

    /// <summary>Finds a method whose call may be framed here.</summary>
    /// <returns>The method; nothing if grpc-dotnet has to make the call.</returns>
    public NativeMethod<TRequest, TResponse>? TryCarry<TRequest, TResponse>(
        Method<TRequest, TResponse> method, in CallOptions options)
        where TRequest : class
        where TResponse : class
    {
        if (IsDisposed
            || Connections.IsOverHttp2
            || _hasCredentials
            || options.Credentials is not null
            || options.CancellationToken.IsCancellationRequested
            || !IsInFuture(options.Deadline)
            || _listeners.AreThere)
        {
            return null;
        }

        var known = (NativeMethod<TRequest, TResponse>)(_methods.TryGetValue(method, out var found)
            ? found
            : Add(method));
        return known.IsCarried ? known : null;
    }

    /// <summary>Ends the calls that are under way. No call begins from now on.</summary>
    /// <remarks>
    /// A call that begins at this moment enters its cancellation, under that one's gate, then looks whether the channel
    /// was disposed. Here the channel is disposed first, then each cancellation is looked at under its gate. So one of
    /// the two finds the other.
    /// </remarks>
    public void Dispose()
    {
        _isDisposed = true;
        foreach (var call in Cancellations.FindCalls())
        {
            call.Dispose();
        }
    }

    // A deadline that has passed, or is of a kind that is refused, is left to grpc-dotnet.
    private static bool IsInFuture(DateTime? deadline) =>
        deadline is not { } time
        || time == DateTime.MaxValue
        || (time.Kind == DateTimeKind.Utc && time > DateTime.UtcNow);

    private static string CreateUserAgent()
    {
        var version = typeof(NativeChannel).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
        return $"grpcshm-dotnet/{version} ({RuntimeInformation.FrameworkDescription}; "
            + $"{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()})";
    }

    private object Add<TRequest, TResponse>(Method<TRequest, TResponse> method)
        where TRequest : class
        where TResponse : class
    {
        if (_methods.Count >= MaxMethods)
        {
            // Somebody makes a method for each call. A method that is used again is added again.
            _methods.Clear();
        }

        return _methods.GetOrAdd(method, Create(method));
    }

    private NativeMethod<TRequest, TResponse> Create<TRequest, TResponse>(Method<TRequest, TResponse> method)
        where TRequest : class
        where TResponse : class
    {
        var path = method.FullName;
        var target = new CallTarget(GrpcRequestRules.Scheme, _address.Authority, path, _profiles.Of(path));
        var isRetried = _retried.Any(name =>
            string.IsNullOrEmpty(name.Service)
            || (name.Service == method.ServiceName
                && (string.IsNullOrEmpty(name.Method) || name.Method == method.Name)));
        var scope = new CallScope(method.Type, new Uri(path, UriKind.Relative));
        return new NativeMethod<TRequest, TResponse>(method, target, scope, target.IsCarried && !isRetried);
    }
}
