using System.Runtime.CompilerServices;
using GrpcShm.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Http2;

/// <summary>
/// Avoids a defect of Kestrel's (https://github.com/dotnet/aspnetcore/issues/53736, open in 10.0.12), by which a
/// response is never sent.
/// </summary>
/// <remarks>
/// <para>A stream's output is queued for the loop that writes, and a mark on it says that it is, so that it is queued
/// once. The loop takes the mark off when it looks at the output. A <c>WINDOW_UPDATE</c> that ends a wait for credit
/// queues the output as well. Where it is handled beside the last look at a response, it sets the mark after that look,
/// and the loop then drops what is queued of a response that is complete, and leaves the mark. The next request that
/// gets the pooled stream has an output that counts as queued, and so never is.</para>
/// <para>Before a request is handed to the application nothing of its response can have been queued, so a mark that is
/// there is a stale one. It is taken off without Kestrel's lock. What may set it meanwhile is the end of the stream or
/// of the connection, which has queued the output then: to queue that a second time does no harm, since what is
/// complete is dropped. The loop itself only ever takes it off.</para>
/// </remarks>
internal sealed class StaleSchedules(ILogger logger)
{
    private const string Core = "Microsoft.AspNetCore.Server.Kestrel.Core";
    private const string Protocol = $"{Core}.Internal.Http.HttpProtocol, {Core}";
    private const string Output = $"{Core}.Internal.Http.IHttpOutputProducer, {Core}";
    private const string Http2Output = $"{Core}.Internal.Http2.Http2OutputProducer, {Core}";

    private volatile bool _isUnknown;

    /// <summary>
    /// Takes off the mark that the last request has left on a stream, if this request came over shared memory.
    /// </summary>
    public void Clear(IFeatureCollection request)
    {
        if (_isUnknown || request is not IHttp2StreamIdFeature || request.Get<ISharedMemoryConnectionFeature>() is null)
        {
            return;
        }

        try
        {
            ref var isScheduled = ref IsScheduled(GetOutput(request));
            if (isScheduled)
            {
                isScheduled = false;
            }
        }
        catch (Exception exception)
        {
            // All that this does is to look at a field, so whatever is thrown says that this version of Kestrel is
            // built otherwise. It may have the defect or not, and serves as over any transport. A test of ours says so
            // before.
            _isUnknown = true;
            Log.KestrelIsUnknown(logger, exception);
        }
    }

    /// <summary>The mark on the output of a stream.</summary>
    internal static ref bool MarkOf(IFeatureCollection request) => ref IsScheduled(GetOutput(request));

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Output")]
    [return: UnsafeAccessorType(Output)]
    private static extern object GetOutput([UnsafeAccessorType(Protocol)] object request);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_isScheduled")]
    private static extern ref bool IsScheduled([UnsafeAccessorType(Http2Output)] object output);
}
