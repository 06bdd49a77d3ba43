using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server;
using GrpcShm.AspNetCore.Loans;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Ends the loans of gRPC calls with the calls.</summary>
public static class LoansExtensions
{
    /// <summary>
    /// Lets the end of a call give back the loans (<c>Loaned</c> of the package GrpcShm.Loans) that its handler has
    /// received, and the one that it has returned. So the handler need not dispose of them. Each loan that it keeps
    /// longer it takes over by <c>Keep()</c>. The requests of a stream are given back at its end, too: dispose of each
    /// as soon as it has been read, since all of them together count in the bound of the pool.
    /// <para><c>builder.Services.AddGrpc().AddLoans()</c>. It adds an interceptor to all services, outside of all
    /// others. Calls over all transports, and with native dispatch, have the same behaviour.</para>
    /// </summary>
    /// <param name="builder">What <c>AddGrpc</c> has returned.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static IGrpcServerBuilder AddLoans(this IGrpcServerBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton<LoanInterceptor>();
        builder.Services.PostConfigure<GrpcServiceOptions>(Add);
        return builder;
    }

    /// <summary>
    /// The same for the calls of one service. Calls of other services then have no further interceptor. Interceptors of
    /// all services (<c>AddGrpc</c>) run outside of this one. If one of them ends a call, the garbage collector gives
    /// the loan of the request back. So use <see cref="AddLoans(IGrpcServerBuilder)"/> beside an interceptor that
    /// refuses calls.
    /// </summary>
    /// <param name="builder">What <c>AddGrpc</c> has returned.</param>
    /// <typeparam name="TService">The type that <c>MapGrpcService</c> maps.</typeparam>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static IGrpcServerBuilder AddLoans<
        [DynamicallyAccessedMembers(Members)] TService>(this IGrpcServerBuilder builder)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton<LoanInterceptor>();
        builder.AddServiceOptions<TService>(static _ => { });
        builder.Services.PostConfigure<GrpcServiceOptions<TService>>(Add);
        return builder;
    }

    // As AddServiceOptions asks for them.
    private const DynamicallyAccessedMemberTypes Members =
        DynamicallyAccessedMemberTypes.PublicConstructors
        | DynamicallyAccessedMemberTypes.PublicMethods
        | DynamicallyAccessedMemberTypes.NonPublicMethods;

    private static void Add(GrpcServiceOptions options)
    {
        var interceptors = options.Interceptors;
        if (!interceptors.Any(static registration => registration.Type == typeof(LoanInterceptor)))
        {
            // The outermost one: a request is a loan already when an interceptor of the application refuses its call.
            interceptors.Add<LoanInterceptor>();
            var own = interceptors[^1];
            interceptors.RemoveAt(interceptors.Count - 1);
            interceptors.Insert(0, own);
        }
    }
}
