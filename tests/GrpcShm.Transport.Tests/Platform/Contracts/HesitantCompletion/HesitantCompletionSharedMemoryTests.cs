using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantCompletion;

public sealed class HesitantCompletionSharedMemoryTests()
    : SharedMemoryContract(new HesitantMake(new CompletionMake()));
