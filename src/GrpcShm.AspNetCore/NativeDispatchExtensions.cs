using GrpcShm.AspNetCore.Native;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Lets calls reach a gRPC service without ASP.NET Core's pipeline.</summary>
public static class NativeDispatchExtensions
{
    /// <summary>
    /// Dispatches the calls of direct mode to these gRPC methods natively: without an <c>HttpContext</c> for each
    /// call. <c>app.MapGrpcService&lt;OrdersService&gt;().WithNativeDispatch()</c>.
    /// <para>Middleware of your own or of other packages then does not run for these calls. You give up nothing else
    /// that this library can see. If ASP.NET Core's own middleware would act on the calls, if a method has metadata
    /// that middleware could act on (authorization, rate limits, CORS, hosts, time-outs), or if any of this cannot be
    /// known, then the calls take the full pipeline, as they do without this method. The server's log says at the
    /// start which services are dispatched natively, and why others are not.</para>
    /// </summary>
    /// <param name="builder">What <c>MapGrpcService</c> has returned, or a group of such endpoints.</param>
    /// <typeparam name="TBuilder">The type of <paramref name="builder"/>.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>
    /// Calls over other transports, in HTTP/2 mode, and to endpoints that are no gRPC methods are not changed.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static TBuilder WithNativeDispatch<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Add(static endpoint => endpoint.Metadata.Add(NativeDispatchMetadata.Instance));
        NativeDispatchMetadata.NoteUse();
        return builder;
    }
}
