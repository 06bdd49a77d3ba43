namespace GrpcShm.AspNetCore.Native;

/// <summary>What is asked of a binding by those who do not know the type of its service.</summary>
internal interface IServiceBinding
{
    ServiceSettings Settings { get; }

    /// <summary>The activator of the service that the host has.</summary>
    object GrpcActivator { get; }
}
