using GrpcShm.AspNetCore;
using Microsoft.AspNetCore.Http;

namespace Samples.BringYourOwnService.Server;

/// <summary>An ordinary middleware: it writes the connection of the request into the headers of the response.</summary>
internal sealed class ConnectionHeaderMiddleware(RequestDelegate next)
{
    public const string HeaderName = "came-by";

    public Task InvokeAsync(HttpContext context)
    {
        var connection = context.Features.Get<ISharedMemoryConnectionFeature>();
        context.Response.Headers[HeaderName] = connection?.EndPoint.ToString() ?? "another transport";
        return next(context);
    }
}
