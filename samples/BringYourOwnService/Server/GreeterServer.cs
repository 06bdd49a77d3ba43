using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Samples.BringYourOwnService.Server;

/// <summary>
/// An ordinary gRPC server: the template's, with authentication, authorization, an interceptor, a middleware, health
/// and reflection. It listens on the addresses of <c>--urls</c>, and on the new endpoint.
/// </summary>
internal static class GreeterServer
{
    public static WebApplication Build(string[] arguments, SampleEndpoint? endpoint)
    {
        var builder = WebApplication.CreateBuilder(arguments);
        UseStandardErrorForLogs(builder);
        builder.Services.AddGrpc().AddServiceOptions<GreeterService>(
            greeter => greeter.Interceptors.Add<CallCountInterceptor>());
        builder.Services.AddSingleton<CallCountInterceptor>();
        builder.Services.AddGrpcReflection();
        builder.Services.AddGrpcHealthChecks().AddCheck("greeter", () => HealthCheckResult.Healthy());
        builder.Services.AddAuthentication(ApiKeyAuthenticationHandler.SchemeName)
            .AddScheme<ApiKeyOptions, ApiKeyAuthenticationHandler>(
                ApiKeyAuthenticationHandler.SchemeName, builder.Configuration.GetSection("Authentication").Bind);
        builder.Services.AddAuthorization(options => options.AddPolicy(
            SameUserRequirement.PolicyName,
            policy => policy.RequireAuthenticatedUser().AddRequirements(new SameUserRequirement())));
        builder.Services.AddSingleton<IAuthorizationHandler, SameUserHandler>();
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http2));

        if (endpoint?.Kind == TransportKind.Shm)
        {
            // These are the lines of the README, and all that a server needs.
            builder.WebHost.UseSharedMemory();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(endpoint.Address));
        }
        else
        {
            endpoint?.Listen(builder.WebHost);
        }

        var app = builder.Build();
        app.UseMiddleware<ConnectionHeaderMiddleware>();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGrpcService<GreeterService>();
        app.MapGrpcHealthChecksService();
        app.MapGrpcReflectionService();
        return app;
    }

    // The standard output belongs to the process that started this one.
    private static void UseStandardErrorForLogs(WebApplicationBuilder builder)
    {
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        // This comes with authentication, for cookies. This sample does not use its keys, so it does not matter how
        // they are stored.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        builder.Services.Configure<ConsoleLoggerOptions>(
            options => options.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddSingleton<IHostLifetime, ParentLifetime>();
    }
}
