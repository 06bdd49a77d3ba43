using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.Hosting.Tests;

/// <summary>Tells the client the mode by which its request arrived.</summary>
internal sealed class ModeFilter : IStartupFilter
{
    public const string Header = "x-mode";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((context, following) =>
        {
            var isKestrels = context.Features.Get<IHttpRequestFeature>()!
                .GetType().Assembly
            == typeof(KestrelServerOptions).Assembly;
            context.Response.Headers[Header] = isKestrels ? "http2" : "direct";
            return following(context);
        });
        next(app);
    };
}
