using Grpc.AspNetCore.Server;
using Grpc.Core;
using GrpcShm.AspNetCore.Direct;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Native;

/// <summary>
/// A native call as its handler sees it. One object serves one call: handlers may keep it, and then it says that the
/// call is over. An <see cref="HttpContext"/> is made when somebody asks for it.
/// </summary>
/// <remarks>This part is what a <see cref="ServerCallContext"/> has. The other part begins and ends the call.</remarks>
internal sealed partial class NativeCallContext : ServerCallContext, IServerCallContextFeature, IServiceProvidersFeature
{
    // The field by which a handler chooses the encoding of its messages, among the headers that it sends.
    private const string ChosenEncoding = "grpc-internal-encoding-request";

    private static readonly AuthContext Unauthenticated = new(null, new Dictionary<string, List<AuthProperty>>());

    private readonly ServerCall _call;
    private readonly NativeMethod _method;
    private Metadata? _requestHeaders;
    private Metadata? _responseTrailers;
    private HttpContext? _httpContext;
    private CallItems? _items;
    private IServiceProvider? _services;
    private Status _status;
    private volatile bool _isOver;

    public NativeCallContext(ServerCall call, NativeMethod method)
    {
        _call = call;
        _method = method;
        Parts = call.FindNativeParts(method);
    }

    public ServerCallContext ServerCallContext => this;

    /// <summary>The services of the call's scope, which ends after the response.</summary>
    public IServiceProvider RequestServices
    {
        get
        {
            lock (_gate)
            {
                return _services ??= CreateScope();
            }
        }

        set => _services = value;
    }

    protected override string MethodCore => Call.Request.Path;

    protected override string HostCore =>
        HostString.FromUriComponent(((IHttpRequestFeature)Call.Request).Headers.Host.ToString()).Value ?? "";

    // As for each connection that has no internet address.
    protected override string PeerCore => "unknown";

    protected override DateTime DeadlineCore => _deadline;

    protected override Metadata RequestHeadersCore =>
        _requestHeaders ??= RequestMetadata.Read(((IHttpRequestFeature)Call.Request).Headers);

    protected override CancellationToken CancellationTokenCore => FindCancellation();

    protected override Metadata ResponseTrailersCore => _responseTrailers ??= [];

    protected override Status StatusCore
    {
        get => _status;
        set => _status = value;
    }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    // Direct mode has no TLS, so no client has a certificate.
    protected override AuthContext AuthContextCore => Unauthenticated;

    protected override IDictionary<object, object> UserStateCore
    {
        get
        {
            var context = FindHttpContext();
            lock (_gate)
            {
                return _items ??= new CallItems(context);
            }
        }
    }

    private ServerCall Call
    {
        get
        {
            // Else a handler that has kept the object would see the next call.
            ObjectDisposedException.ThrowIf(_isOver, typeof(ServerCallContext));
            return _call;
        }
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotImplementedException("CreatePropagationToken will be implemented in a future version.");

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        var response = Call.Response;
        lock (_gate)
        {
            if (_isExpiring || response.HasStarted)
            {
                throw new InvalidOperationException("Response headers can only be sent once per call.");
            }

            var headers = ((IHttpResponseFeature)response).Headers;
            foreach (var entry in responseHeaders)
            {
                if (entry.Key == ChosenEncoding)
                {
                    SetResponseEncoding(entry.Value);
                }
                else
                {
                    Append(headers, entry, "header");
                }
            }

            var flush = response.Writer.FlushAsync();
            return flush.IsCompletedSuccessfully ? Task.CompletedTask : flush.AsTask();
        }
    }

    private static void Append(IHeaderDictionary fields, Metadata.Entry entry, string kind)
    {
        try
        {
            fields.Append(entry.Key, entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes) : entry.Value);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Error adding response {kind} '{entry.Key}'.", exception);
        }
    }

    private HttpContext FindHttpContext()
    {
        var call = Call;
        HttpContext context;
        IRequestStream? requests;
        lock (_gate)
        {
            if (_httpContext is { } present)
            {
                return present;
            }

            IFeatureCollection features = call;
            features.Set<IServiceProvidersFeature>(this);
            features.Set<IServerCallContextFeature>(this);
            Parts.Diagnostics.AddFeatures(features);
            _httpContext = context = call.Connection.Application.HttpContexts.Create(features);
            context.SetEndpoint(_method.EndPoint.Endpoint);
            _method.Pipeline.AddMarks(context.Items);
            requests = _requestStream;
        }

        // Without the gate, which is taken under that of the stream, if a deserializer asks for the context.
        requests?.Share();
        return context;
    }

    /// <summary>Makes the scope of the call. Under the gate.</summary>
    private IServiceProvider CreateScope()
    {
        var call = Call;
        var scope = call.Connection.Application.Scopes.CreateScope();

        // As hosting does: it ends when the client has the whole response.
        call.Response.Callbacks.AddCompleted(static scope => EndScopeAsync((IServiceScope)scope), scope);
        return scope.ServiceProvider;
    }

    private static Task EndScopeAsync(IServiceScope scope)
    {
        if (scope is IAsyncDisposable asynchronous)
        {
            var disposal = asynchronous.DisposeAsync();
            return disposal.IsCompletedSuccessfully ? Task.CompletedTask : disposal.AsTask();
        }

        scope.Dispose();
        return Task.CompletedTask;
    }
}
