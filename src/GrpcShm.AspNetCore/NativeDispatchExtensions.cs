using GrpcShm.AspNetCore.Native;

namespace Microsoft.AspNetCore.Builder;

/// <summary>
/// Says which gRPC services the calls of direct mode reach without ASP.NET Core's pipeline. Without these methods it is
/// those where nothing would have looked at the call. That is proved at the start, and the server's log tells it.
/// </summary>
public static class NativeDispatchExtensions
{
    /// <summary>
    /// Dispatches the calls of direct mode to these gRPC methods natively, also past middleware that this library does
    /// not know: without an <c>HttpContext</c> for each call.
    /// <c>app.MapGrpcService&lt;OrdersService&gt;().WithNativeDispatch()</c>.
    /// <para>Middleware of your own or of other packages then does not run for these calls. ASP.NET Core's own
    /// middleware does not run for them either, if it lets them pass as it is set up at the start. You give up nothing
    /// else. If ASP.NET Core's own middleware would act on the calls, if a method has metadata that middleware could
    /// act on (authorization, rate limits, CORS, hosts, time-outs), or if any of this cannot be known, then the calls
    /// take the full pipeline. The server's log says at the start which services are dispatched natively, and why
    /// others are not.</para>
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
        NativeDispatchMetadata.NoteUse();
        return Mark(builder, NativeDispatchMetadata.Wanted);
    }

    /// <summary>
    /// Lets all calls to these gRPC methods take the full pipeline, as over a socket. For a service in a group with
    /// <see cref="WithNativeDispatch"/>, what the service says counts.
    /// <c>app.MapGrpcService&lt;OrdersService&gt;().WithoutNativeDispatch()</c>.
    /// <para><see cref="GrpcShm.AspNetCore.SharedMemoryTransportOptions.UseNativeDispatch"/> does this for the whole
    /// server.</para>
    /// </summary>
    /// <param name="builder">What <c>MapGrpcService</c> has returned, or a group of such endpoints.</param>
    /// <typeparam name="TBuilder">The type of <paramref name="builder"/>.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static TBuilder WithoutNativeDispatch<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        Mark(builder, NativeDispatchMetadata.Unwanted);

    private static TBuilder Mark<TBuilder>(TBuilder builder, NativeDispatchMetadata mark)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);

        // The last one counts. The conventions of a group come before those of its endpoints.
        builder.Add(endpoint => endpoint.Metadata.Add(mark));
        return builder;
    }
}
