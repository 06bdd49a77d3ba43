using System.Buffers.Binary;
using System.Globalization;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.AspNetCore.Native.Diagnostics;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.AspNetCore.Tests.Native.Diagnostics;

/// <summary>
/// Runs the handler of a call without hosting, routing or grpc-dotnet, and tells of it as a native call does.
/// </summary>
internal sealed class NativeApplication(IServiceProvider services, DiagnosedHandler handler)
    : IHttpApplication<NativeApplication.Context>
{
    private readonly HostDiagnostics _host = services.GetRequiredService<HostDiagnostics>();

    // As a call's object serves again, so does the part of it that tells.
    private readonly ConditionalWeakTable<ServerCall, RequestDiagnostics> _diagnostics = [];
    private DiagnosedEndpoint? _endpoint;

    public Context CreateContext(IFeatureCollection contextFeatures)
    {
        var call = (ServerCall)contextFeatures;
        var diagnostics = _diagnostics.GetValue(call, call => new RequestDiagnostics(call, _host));
        diagnostics.Begin(_endpoint ??= FindEndpoint(call.Request.Path));
        diagnostics.AddFeatures(contextFeatures);
        return new Context(contextFeatures, diagnostics);
    }

    public async Task ProcessRequestAsync(Context context)
    {
        var features = context.Features;
        var response = features.GetRequiredFeature<IHttpResponseFeature>();
        response.Headers.ContentType = "application/grpc";
        var status = StatusCode.OK;
        try
        {
            await features.GetRequiredFeature<IRequestBodyPipeFeature>().Reader.CopyToAsync(Stream.Null);
            var token = features.GetRequiredFeature<IHttpRequestLifetimeFeature>().RequestAborted;
            var answer = await handler(new HandlerView(features, token));
            await WriteAsync(features.GetRequiredFeature<IHttpResponseBodyFeature>().Writer, answer);
        }
        catch (RpcException exception)
        {
            status = exception.StatusCode;
        }
        catch (Exception exception) when (exception is InvalidOperationException or OperationCanceledException)
        {
            status = StatusCode.Unknown;
        }

        var trailers = status == StatusCode.OK
            ? features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers
            : response.Headers;
        trailers["grpc-status"] = ((int)status).ToString(CultureInfo.InvariantCulture);
        context.Diagnostics.EndHandler(status);
    }

    public void DisposeContext(Context context, Exception? exception) => context.Diagnostics.End(exception);

    private static ValueTask<FlushResult> WriteAsync(PipeWriter writer, byte[] answer)
    {
        var frame = new byte[answer.Length + 5];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), answer.Length);
        answer.CopyTo(frame, 5);
        return writer.WriteAsync(frame);
    }

    private DiagnosedEndpoint FindEndpoint(string path) => new(
        services.GetRequiredService<EndpointDataSource>().Endpoints
            .OfType<RouteEndpoint>()
            .Single(endpoint => endpoint.RoutePattern.RawText == path));

    internal sealed record Context(IFeatureCollection Features, RequestDiagnostics Diagnostics);
}

/// <summary>A server that serves <see cref="NativeApplication"/> in the place of the host's application.</summary>
internal sealed class NativeServer(IServer inner, NativeApplication native) : IServer
{
    public IFeatureCollection Features => inner.Features;

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull => inner.StartAsync(native, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => inner.StopAsync(cancellationToken);

    public void Dispose() => inner.Dispose();
}
