using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.Hosting.Tests;

/// <summary>Puts a middleware before all others.</summary>
internal sealed class MiddlewareFilter(Func<HttpContext, RequestDelegate, Task> middleware) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(middleware);
        next(app);
    };
}
