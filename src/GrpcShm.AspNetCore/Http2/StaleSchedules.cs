using System.Runtime.CompilerServices;
using GrpcShm.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Http2;

/// <summary>
/// Avoids a defect of Kestrel (https://github.com/dotnet/aspnetcore/issues/53736, open in 10.0.12): a response is never
/// sent.
/// </summary>
/// <remarks>
/// <para>The output of a stream is queued for the loop that writes. A mark on the output says that it is queued, so
/// that it is queued once. The loop removes the mark when it looks at the output. A <c>WINDOW_UPDATE</c> that ends a
/// wait for credit queues the output as well. If this happens at the same time as the loop's last look at a response,
/// the mark is set after that look. Then the loop drops the queued output, since its response is complete, and leaves
/// the mark. The next request that gets the pooled stream has an output that counts as queued, and so is never
/// queued.</para>
/// <para>Before a request is passed to the application, nothing of its response can have been queued. So a mark at that
/// moment is a stale one. It is removed without Kestrel's lock. Only the end of the stream or of the connection may set
/// the mark at the same time, and has queued the output then. If the output is queued a second time, this does no harm,
/// since a complete output is dropped. The loop itself never sets the mark.</para>
/// </remarks>
internal sealed class StaleSchedules(ILogger logger)
{
    private const string Core = "Microsoft.AspNetCore.Server.Kestrel.Core";
    private const string Protocol = $"{Core}.Internal.Http.HttpProtocol, {Core}";
    private const string Output = $"{Core}.Internal.Http.IHttpOutputProducer, {Core}";
    private const string Http2Output = $"{Core}.Internal.Http2.Http2OutputProducer, {Core}";

    private volatile bool _isUnknown;

    /// <summary>
    /// Removes the mark that the last request has left on a stream, if this request came over shared memory.
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
            // The code above only reads and writes a field. So an exception, of whatever type, says that this version
            // of Kestrel has no such field. It may have the defect or not, and serves as over any transport. A test of
            // this library fails first.
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
