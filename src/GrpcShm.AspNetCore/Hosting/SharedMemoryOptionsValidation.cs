using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>Refuses options that make no sense together, when the server starts.</summary>
internal sealed class SharedMemoryOptionsValidation : IValidateOptions<SharedMemoryTransportOptions>
{
    public ValidateOptionsResult Validate(string? name, SharedMemoryTransportOptions options) =>
        options.RingSize > options.MaxRingSize
            ? ValidateOptionsResult.Fail(
                $"SharedMemoryTransportOptions.RingSize is {options.RingSize} bytes, more than MaxRingSize, which is "
                + $"{options.MaxRingSize}. Raise MaxRingSize, or lower RingSize.")
            : ValidateOptionsResult.Success;
}
