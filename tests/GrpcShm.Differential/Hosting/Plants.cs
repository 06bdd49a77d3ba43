using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.Differential.Hosting;

/// <summary>
/// Faults that are put on purpose into the requests that the application sees in direct mode. Each looks as if a check
/// were missing. A run that does not find such a fault is worthless.
/// </summary>
internal static class Plants
{
    public static IReadOnlyList<string> Names => [.. All.Keys];

    private static Dictionary<string, Action<HttpContext>> All { get; } = new()
    {
        ["path"] = context => Request(context).Path = Uri.UnescapeDataString(Request(context).Path.Replace('_', ' ')),
        ["scheme"] = context =>
            Request(context).Scheme =
        Request(context).Headers.Authorization.Count > 0 ? "https" : "http",
        ["header-case"] = context =>
        {
            if (Request(context).Headers.Remove("x-text", out var values))
            {
                Request(context).Headers["X-Text"] = values;
            }
        },
        ["values"] = context =>
        {
            if (Request(context).Headers["x-twice"] is { Count: > 1 } values)
            {
                Request(context).Headers["x-twice"] = string.Join(',', values.ToArray());
            }
        },
        ["body-size"] = context =>
            context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null,
        ["response-status"] = context => context.Response.OnStarting(() =>
        {
            context.Response.StatusCode = context.Response.StatusCode == 404 ? 200 : context.Response.StatusCode;
            return Task.CompletedTask;
        }),
    };

    public static Func<HttpContext, RequestDelegate, Task> Find(string name)
    {
        var plant = All[name];
        return (context, next) =>
        {
            if (DifferentialHost.IsDirect(context))
            {
                plant(context);
            }

            return next(context);
        };
    }

    private static IHttpRequestFeature Request(HttpContext context) =>
        context.Features.GetRequiredFeature<IHttpRequestFeature>();
}
