using System.Diagnostics.CodeAnalysis;

namespace GrpcShm.AspNetCore.Native;

/// <summary>The members of a service's type that have to be there at run time, as grpc-dotnet asks for them.</summary>
internal static class ServiceMembers
{
    public const DynamicallyAccessedMemberTypes All =
        DynamicallyAccessedMemberTypes.PublicConstructors
        | DynamicallyAccessedMemberTypes.PublicMethods
        | DynamicallyAccessedMemberTypes.NonPublicMethods;
}
