using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantLinux;

public sealed class HesitantLinuxSharedMemoryTests() : SharedMemoryContract(new HesitantMake(new LinuxMake()));
